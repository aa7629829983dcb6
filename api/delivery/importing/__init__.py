"""Access logs of servers, CDNs and buckets: read into columns, whatever their format and however long."""
