"""The event log behind one small interface; shared by sync, delivery and measurement."""

from api.events.log import EventLog, LogFullError, LogUnavailableError, Record, StoredRecord

__all__ = ["EventLog", "LogFullError", "LogUnavailableError", "Record", "StoredRecord"]
