"""Earshot's own table of user agents, for installations without OPAWG's lists: what asks for podcast audio.

Patterns are regular expressions, found anywhere in the user agent. The first entry that matches decides.
"""

from urllib.parse import quote

from api.hits.agents import AgentLists, Entry
from api.hits.agents_bots import BOTS

PODCASTS_LOCALISED = (
    "Podcasts", "Podcast", "Podcaster", "Podkaster", "Podcasty", "Podcasti", "Podcastit", "Podcastok", "Podcasturi",
    "Balados", "Подкасты", "Подкасти", "البودكاست", "פודקאסטים", "पॉडकास्ट", "พ็อดคาสท์", "播客",
    "ポッドキャスト", "팟캐스트",
)  # fmt: skip
"""Apple Podcasts names itself in the language of the device; some versions percent-encode it."""
_APPLE = "|".join(sorted({form for name in PODCASTS_LOCALISED for form in (name, quote(name))}))

APPS = (
    # -- Apple
    Entry("Apple Podcasts", rf"^(?:{_APPLE})/[0-9.]+.* CFNetwork/|^com\.apple\.podcasts"),
    Entry("Apple Podcasts", r"^AirPodcasts/", device_class="speaker"),
    Entry("iTunes", r"^iTunes/", device_class="computer"),
    # -- Apps for podcasts
    Entry("Overcast", r"^Overcast[/ ]", device_class="phone"),
    Entry("Pocket Casts", r"^Pocket ?Casts|^Shifty Jelly Pocket", device_class="phone"),
    Entry("Castro", r"^Castro[/ ]", device_class="phone"),
    Entry("AntennaPod", r"^AntennaPod|danoeh\.antennapod", device_class="phone"),
    Entry("Podcast Addict", r"^Podcast ?Addict", device_class="phone"),
    Entry("Castbox", r"(?i)^castbox|^fm\.castbox", device_class="phone"),
    Entry("Player FM", r"^Player ?FM|^fm\.player", device_class="phone"),
    Entry("Podbean", r"(?i)^podbean[/ ]", device_class="phone"),
    Entry("Downcast", r"^Downcast/", device_class="phone"),
    Entry("iCatcher", r"^iCatcher", device_class="phone"),
    Entry("Podverse", r"^Podverse", device_class="phone"),
    Entry("Fountain", r"^[Ff]ountain(?:app)?[/ ]", device_class="phone"),
    Entry("Podfriend", r"^[Pp]odfriend", device_class="phone"),
    Entry("Castamatic", r"^Castamatic", device_class="phone"),
    Entry("Snipd", r"(?i)^snipd", device_class="phone"),
    Entry("Podchaser", r"^Podchaser[/ ]", device_class="phone"),
    Entry("Goodpods", r"^[Gg]oodpods", device_class="phone"),
    Entry("TrueFans", r"^TrueFans", device_class="phone"),
    Entry("Podcast Guru", r"^Podcast ?Guru", device_class="phone"),
    Entry("Podcast Republic", r"^Podcast ?Republic|com\.itunestoppodcastplayer", device_class="phone"),
    Entry("Anytime Podcast Player", r"^Anytime/", device_class="phone"),
    Entry("Metacast", r"^Metacast", device_class="phone"),
    Entry("Podurama", r"^Podurama", device_class="phone"),
    Entry("Podimo", r"^[Pp]odimo", device_class="phone"),
    Entry("Podkicker", r"^Podkicker", device_class="phone"),
    Entry("BeyondPod", r"BeyondPod", device_class="phone"),
    Entry("DoggCatcher", r"DoggCatcher", device_class="phone"),
    Entry("RSSRadio", r"^RSSRadio", device_class="phone"),
    Entry("Instacast", r"^Instacast", device_class="phone"),
    Entry("PodCruncher", r"^PodCruncher", device_class="phone"),
    Entry("Breaker", r"^Breaker/", device_class="phone"),
    Entry("RadioPublic", r"^RadioPublic", device_class="phone"),
    Entry("Himalaya", r"^[Hh]imalaya", device_class="phone"),
    Entry("Ximalaya", r"^(?:ting|[Xx]imalaya)[_/]", device_class="phone"),
    Entry("Xiaoyuzhou", r"^Xiao ?[Yy]u ?[Zz]hou|^xyz/", device_class="phone"),
    Entry("Luminary", r"^Luminary", device_class="phone"),
    Entry("Acast", r"^Acast", device_class="phone"),
    Entry("Stitcher", r"^Stitcher", device_class="phone"),
    Entry("gPodder", r"^gPodder", device_class="computer"),
    Entry("Kasts", r"^Kasts|org\.kde\.kasts", device_class="computer"),
    Entry("GNOME Podcasts", r"^(?:GNOME )?Podcasts/[0-9.]+ \(.*GNOME|org\.gnome\.Podcasts", device_class="computer"),
    Entry("CPod", r"\bCPod/", device_class="computer"),
    Entry("Castero", r"^castero", device_class="computer"),
    Entry("Newsboat", r"^(?:newsboat|podboat)/", device_class="computer"),
    Entry("Grover Podcast", r"^Grover", device_class="computer"),
    # -- A listener's own server, which plays or passes on what it has fetched
    Entry("Audiobookshelf", r"^audiobookshelf", device_class="computer"),
    Entry("PinePods", r"^PinePods", device_class="computer"),
    Entry("Podgrab", r"^Podgrab", device_class="computer"),
    Entry("Plex", r"^Plex", device_class="computer"),
    Entry("Jellyfin", r"^Jellyfin", device_class="computer"),
    Entry("Nextcloud", r"^Nextcloud|^RePod", device_class="computer"),
    # -- Music, radio and audio book services
    Entry("Spotify", r"^[Ss]potify", device_class="phone"),
    Entry("YouTube Music", r"^com\.google\.android\.apps\.youtube\.music|YouTube ?Music", device_class="phone"),
    Entry("YouTube", r"^com\.google\.(?:android|ios)\.youtube/", device_class="phone"),
    Entry("Google Podcasts", r"^GoogleChirp", device_class="speaker"),
    Entry("Google app", r"\bGSA/[0-9]", device_class="phone"),
    Entry("Amazon Music", r"^AmazonMusic|^Amazon%20Music/|com\.amazon\.mp3", device_class="phone"),
    Entry("Audible", r"^Audible|^com\.audible", device_class="phone"),
    Entry("Amazon Alexa", r"^Alexa|^AlexaMediaPlayer|^Echo/|^Amazon;Echo", device_class="speaker"),
    Entry("Deezer", r"^Deezer", device_class="phone"),
    Entry("iHeartRadio", r"(?i)^iheart|com\.clearchannel\.iheartradio", device_class="phone"),
    Entry("TuneIn", r"^TuneIn|^tunein\.", device_class="phone"),
    Entry("TuneIn", r";;tpapi\b", device_class="speaker"),
    Entry("Pandora", r"^Pandora", device_class="phone"),
    Entry("SiriusXM", r"^SiriusXM|^SXM", device_class="phone"),
    Entry("Audacy", r"^Audacy|^Radio\.com/", device_class="phone"),
    Entry("BBC Sounds", r"^BBC(?:%20| )?Sounds|^BBCSounds", device_class="phone"),
    Entry("NPR One", r"^NPR ?(?:%20)?One|^NPROne", device_class="phone"),
    Entry("ARD Audiothek", r"^ARD ?(?:%20)?Audiothek", device_class="phone"),
    Entry("Radio France", r"^Radio ?(?:%20)?France", device_class="phone"),
    Entry("iVoox", r"^[Ii]Voox", device_class="phone"),
    Entry("Anghami", r"^Anghami", device_class="phone"),
    Entry("JioSaavn", r"(?i)^(?:jio)?saavn", device_class="phone"),
    Entry("Gaana", r"^Gaana", device_class="phone"),
    Entry("Storytel", r"^Storytel", device_class="phone"),
    Entry("SoundCloud", r"^SoundCloud", device_class="phone"),
    # -- Things
    Entry("Sonos", r"Sonos/|^Sonos", device_class="speaker"),
    Entry("Bose", r"^Bose[/;]", device_class="speaker"),
    Entry("Denon HEOS", r"^HEOS|^Denon;", device_class="speaker"),
    Entry("Roku", r"^Roku", device_class="tv"),
    Entry("Chromecast", r"CrKey/|^Google;Chromecast", device_class="tv"),
    Entry("Tesla", r"QtCarBrowser|Tesla/", device_class="car"),
    Entry("Garmin", r"^Garmin ", device_class="watch"),
    # -- Media players
    Entry("VLC", r"^VLC[/ %]|LibVLC/", device_class="computer"),
    Entry("foobar2000", r"^foobar2000", device_class="computer"),
    Entry("mpv", r"^mpv[/ ]", device_class="computer"),
    Entry("Kodi", r"^Kodi/|^XBMC/", device_class="computer"),
    Entry("Windows Media Player", r"^(?:NSPlayer|WMPlayer|Windows-Media-Player)/", device_class="computer"),
    Entry("Winamp", r"^Winamp|^WinampMPEG/", device_class="computer"),
    Entry("MusicBee", r"^MusicBee", device_class="computer"),
    Entry("MediaMonkey", r"^MediaMonkey", device_class="computer"),
    Entry("AIMP", r"^AIMP", device_class="computer"),
    Entry("QuickTime", r"^QuickTime", device_class="computer"),
    Entry("Rhythmbox", r"^[Rr]hythmbox", device_class="computer"),
    Entry("Clementine", r"^Clementine", device_class="computer"),
    Entry("Strawberry", r"^Strawberry", device_class="computer"),
    Entry("Amarok", r"^[Aa]marok", device_class="computer"),
    Entry("Audacious", r"^Audacious", device_class="computer"),
    # -- Readers, and apps that open links
    Entry("Feedly", r"^feedly", device_class="phone"),
    Entry("NetNewsWire", r"^NetNewsWire", device_class="computer"),
    Entry("Reeder", r"^Reeder/", device_class="phone"),
    Entry("Facebook", r"\[?FBA[NV]/|^Facebook/|^FB4A", device_class="phone"),
    Entry("Instagram", r"Instagram [0-9]", device_class="phone"),
    Entry("Apple News", r"AppleNews/", device_class="phone"),
    # -- Parts of systems, used by apps that do not say who they are
    Entry("AppleCoreMedia", r"^AppleCoreMedia/", device_class="phone"),
    Entry("ExoPlayer", r"ExoPlayerLib/|AndroidXMedia3/", device_class="phone"),
    Entry("Android download manager", r"^AndroidDownloadManager", device_class="phone"),
    Entry("Android media player", r"^stagefright/|^Dalvik/|^AndroidMediaPlayer", device_class="phone"),
    Entry("GStreamer", r"GStreamer", device_class="computer"),
    Entry("KaiOS", r"^KaiOS", device_class="phone"),
)  # fmt: skip

DEVICES = (
    (r"watchOS|Apple ?Watch|\bWatch[0-9],|[Ww]ear ?OS|SM-R[0-9]{3}|^Garmin ", "watch"),
    (r"HomePod|^AirPodcasts/|AudioAccessory|GoogleChirp|SmartSpeaker|Alexa|^Echo/|;Echo|Sonos|^Bose|^HEOS", "speaker"),
    (r"CarPlay|[Aa]ndroid ?[Aa]uto\b|Automotive|QtCarBrowser|Tesla/", "car"),
    (r"Apple ?TV|tvOS|Roku|CrKey|Chromecast|(?i)smart-?tv|BRAVIA|android ?tv|google ?tv|HbbTV|\btizen\b.*\btv\b", "tv"),
    (r"Web0S|webOS\.TV|\bAFT[A-Z]{1,4}[0-9]*\b|Xbox|PlayStation|MiTV|MIBOX|NetCast|Viera", "tv"),
    (r"iPad|[Tt]ablet|\bSM-[TX][0-9]{3}|\bKF[A-Z]{3,6}\b|Kindle|\bSilk/|Nexus (?:7|9|10)\b", "tablet"),
    (r"iPhone|iPod|\biOS\b|Windows Phone|IEMobile|KAIOS|KaiOS|Android.*Mobile", "phone"),
    # A browser on Android that does not say "Mobile" is on a tablet.
    (r"^Mozilla/.*Android", "tablet"),
    (r"[Aa]ndroid|Dalvik|ExoPlayerLib|stagefright|okhttp", "phone"),
    (r"Macintosh|Mac ?OS ?X|\bmacOS\b|\bOSX\b|\bOS X\b|Windows|\bWin(?:32|64)\b|CrOS|CFNetwork.*x86_64", "computer"),
    (r"CFNetwork/.*Darwin/", "phone"),
    (r"\bLinux\b|\blinux\b|X11|\bBSD\b|x86_64|[Dd]esktop|Electron/", "computer"),
)  # fmt: skip
"""Pattern and class of device, the first that matches; asked before the class that goes with an app."""

LISTS = AgentLists((*BOTS, *APPS), DEVICES)
