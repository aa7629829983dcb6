"""Programs that ask for audio though nobody listens, by name; a part of Earshot's own table of user agents.

Libraries stand here under their bare names: an app that a person listens with says its own. Where a library alone is
used by apps too (okhttp, Dart, ffmpeg's Lavf), it is a bot all the same, as in OPAWG's lists: numbers of two services
can be compared only if both leave out the same.
"""

from api.hits.agents import Entry


def _bot(name: str, pattern: str) -> Entry:
    return Entry(name, pattern, is_bot=True)


BOTS = (
    # -- Search and link previews
    _bot("Google", r"Googlebot|Google-InspectionTool|GoogleOther|Storebot-Google|[Ff]eed[Ff]etcher-Google"),
    _bot("Google", r"Google-Podcast\b|AdsBot-Google|Mediapartners-Google|Google-Read-Aloud|APIs-Google"),
    _bot("Google", r"Google-Safety|GoogleAgent"),
    _bot("Bing", r"(?i)bingbot|BingPreview|adidxbot|msnbot"),
    _bot("Apple", r"Applebot|^iTMS|^itms|^iTunesStore|^Podcast-?Crawler"),
    _bot("Yandex", r"Yandex[A-Z][a-zA-Z]*/|YandexBot"),
    _bot("Baidu", r"Baiduspider"),
    _bot("DuckDuckGo", r"Duck(?:Duck|Assist)Bot|DuckDuckGo-Favicons"),
    _bot("Sogou", r"Sogou .*spider"),
    _bot("Meta", r"facebookexternalhit|facebookcatalog|facebookplatform|meta-external|FacebookBot|Facebot"),
    _bot("X", r"Twitterbot"),
    _bot("Slack", r"Slackbot|Slack-ImgProxy"),
    _bot("Discord", r"Discordbot"),
    _bot("Telegram", r"TelegramBot"),
    _bot("WhatsApp", r"^WhatsApp/"),
    _bot("LinkedIn", r"LinkedInBot"),
    _bot("Pinterest", r"Pinterest(?:bot|/0)"),
    _bot("Reddit", r"(?i)redditbot"),
    _bot("Skype", r"SkypeUriPreview"),
    _bot("Fediverse", r"Mastodon/|^Pleroma|^Misskey/|^Akkoma|gotosocial|^Lemmy/|Bluesky Cardyb"),
    _bot("Link previews", r"Iframely|Embedly|FlipboardProxy|vkShare|LinkPreview|redirect-checker"),
    # -- Archives, ranking, language models
    _bot("Internet Archive", r"archive\.org|ia_archiver|[Hh]eritrix"),
    _bot("OpenAI", r"GPTBot|ChatGPT-User|OAI-SearchBot"),
    _bot("Anthropic", r"ClaudeBot|Claude-(?:Web|User|SearchBot)|anthropic-ai"),
    _bot("Common Crawl", r"CCBot/"),
    _bot("ByteDance", r"Bytespider|TikTokSpider"),
    _bot("Perplexity", r"Perplexity(?:Bot|-User)"),
    _bot("Amazon", r"Amazonbot|^Amazon Music Podcast|AmazonNewsContentService|^amazon-Quick"),
    _bot("Language models", r"cohere-ai|Diffbot|YouBot|AI2Bot|MistralAI-User|ImagesiftBot|Timpibot|omgili"),
    _bot("Ahrefs", r"AhrefsBot|AhrefsSiteAudit"),
    _bot("Semrush", r"SemrushBot|SiteAuditBot"),
    _bot("PetalBot", r"PetalBot|AspiegelBot"),
    _bot("Majestic", r"MJ12bot"),
    _bot("Moz", r"DotBot|rogerbot"),
    _bot("Rankings", r"DataForSeoBot|BLEXBot|SeznamBot|serpstatbot|Barkrowler|Screaming Frog|SEOkicks|linkdexbot"),
    # -- Podcast directories, hosts and measuring services
    _bot("Spotify", r"^Spotify/1\.0$"),
    _bot("Overcast", r"^Overcast/.*Podcast Sync|OvercastBot"),
    _bot("Pocket Casts", r"^PocketCasts/.*Feed Parser"),
    _bot("Podcast Index", r"(?i)podcastindex\.org|^aggrivator|^podping"),
    _bot("Podchaser", r"Podchaser ?(?:Parser|Bot)|PodchaserParser"),
    _bot("Listen Notes", r"^ListenNotes/"),
    _bot("Podnews", r"PodnewsBot|podnews\.net/bot"),
    _bot("Podcast directories", r"^fyyd|podcastaddict.*bot|^Podtail|^Player FM Podcast Sync"),
    _bot("Podcast directories", r"Rephonic|Podstatus|^Deezer Podcasters|^Metacast/.*Crawler|Goodpods/[0-9.]+$"),
    _bot("Podcast measuring", r"^Trackable/|^Podtrac|^Podscribe|^Magellan ?AI|^Chartable|^Gumball|^Podsights"),
    _bot("Podcast hosts", r"^Libsyn|^Blubrry|^Castopod/|^Buzzsprout|^AnchorImport|^CaptivateBot"),
    _bot("Podcast hosts", r"[Pp]odcast[ -]?[Ii]mport|^Podbean Import"),
    _bot("Feed readers", r"^Feedly/|^Feedbin|^Inoreader/|NewsBlur|Tiny Tiny RSS|FreshRSS|Miniflux|^Feed ?[Ww]rangler"),
    _bot("Feed readers", r"(?i)podcast sync|feed ?(?:parser|fetcher|consumer|sync)|[0-9]+ subscribers?\b"),
    _bot("Transcription", r"^Deepgram|^AssemblyAI|^Otter/|^Descript/"),
    _bot("Earshot", r"^Earshot/"),
    # -- Monitoring
    _bot("UptimeRobot", r"UptimeRobot"),
    _bot("Pingdom", r"Pingdom|pingbot"),
    _bot("Monitoring", r"StatusCake|Site24x7|Better (?:Stack|Uptime)|Datadog|NewRelic"),
    _bot("Monitoring", r"HetrixTools|Uptime-?Kuma|updown\.io|^check_http"),
    _bot("Measuring tools", r"GTmetrix|Chrome-Lighthouse|PTST/|^k6/|ApacheBench|^hey/|^vegeta|^wrk"),
    _bot("Headless browsers", r"HeadlessChrome|PhantomJS|[Pp]uppeteer|[Pp]laywright|[Ss]elenium"),
    _bot("Scanners", r"zgrab|masscan|Nmap|Nikto|[Cc]ensysInspect|^Expanse|l9explore|Nuclei"),
    # -- Tools and libraries
    _bot("curl", r"^curl|^libcurl|PycURL| curl/"),
    _bot("Wget", r"^[Ww]get"),
    _bot("Download tools", r"^aria2/|^HTTPie/|^Axel|^youtube-dl|^yt-dlp|^castget|^FlexGet"),
    _bot("Download tools", r"HTTrack|^git-annex|^rclone|^PostmanRuntime/|^insomnia"),
    _bot("Python", r"(?i)^python|aiohttp/|^httpx/|^Scrapy/|^urllib|^feedparser"),
    _bot("Go", r"^Go-http-client|^Go [0-9.]+ package http|^go-resty|gocolly|^fasthttp"),
    _bot("Java", r"^Java/|Apache-HttpClient|^Apache-HttpAsync|^AHC/|^Jersey|^Java-http-client"),
    _bot("Java", r"^Jakarta|^ReactorNetty|^akka-http"),
    _bot("okhttp", r"^okhttp(?:/\S*)?$"),
    _bot("JavaScript", r"^(?:node|undici|axios|got|node-fetch|node-superagent|Deno|Bun|request)(?:[/ ]|$)|request\.js"),
    _bot("Ruby", r"^Ruby|^Faraday|^http\.rb/|^rest-client|^Down/|^CarrierWave|^HTTPClient/|^Typhoeus"),
    _bot("PHP", r"^GuzzleHttp|^PHP|^Symfony|^WordPress/|^SimplePie|^Zend_Http"),
    _bot("Perl", r"libwww-perl|^LWP|^HTTP-Tiny|^Mojolicious|^WWW-Mechanize"),
    _bot(".NET", r"^RestSharp|^\.NET|^Microsoft-?WinHttp|^Microsoft URL Control|^PowerShell|WindowsPowerShell/"),
    _bot("Other libraries", r"^reqwest/|^hyper/|^ureq/|^Dart/|^hackney/|^Elixir|^lua-resty|^Erlang|^ESP32"),
    _bot("ffmpeg", r"^Lavf/"),
    # -- An app's own crawler, under the app's name
    _bot("Crawlers", r"(?i)crawler|(?:^|[^a-z])spider(?:[^a-z]|$)"),
)  # fmt: skip
