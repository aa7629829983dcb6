"""How Earshot looks: the palette, Streamlit's theme made from it, and the few rules Streamlit has no option for.

A listening room: warm paper, deep pine, and one apricot accent that always means "heard offline".
"""

from typing import Any

PAPER = "#F6F3EC"
CARD = "#FFFFFF"
SHADE = "#EDE8DC"
LINE = "#DFD8C8"
INK = "#1C2B2A"
MUTED = "#5C6967"
PINE = "#25655B"
PINE_DEEP = "#15332F"
PINE_PALE = "#CFE0D8"
SLATE = "#4A6590"
APRICOT = "#E07B39"
APRICOT_DEEP = "#A64F14"
APRICOT_PALE = "#FBE6D6"
RISE = "#2B7A4B"
FALL = "#B2412F"

ONLINE = PINE
OFFLINE = APRICOT
FETCHED = SLATE
"""Of downloads and everything else that servers saw, so that nobody takes it for what was heard."""

SANS = '"Source Sans", "Source Sans 3", system-ui, sans-serif'
SERIF = '"Source Serif", "Source Serif 4", Georgia, serif'
"""Streamlit serves both families itself; nothing is fetched from elsewhere."""

LOGO_SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">
<rect width="32" height="32" rx="9" fill="{PINE_DEEP}"/>
<circle cx="9.5" cy="16" r="3" fill="{PAPER}"/>
<path d="M15 10.2a8.2 8.2 0 0 1 0 11.6" fill="none" stroke="{PAPER}" stroke-width="2.6" stroke-linecap="round"/>
<path d="M19.6 6.4a13.6 13.6 0 0 1 0 19.2" fill="none" stroke="{APRICOT}" stroke-width="2.6" stroke-linecap="round"/>
</svg>"""

STREAMLIT_OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "theme.base": "light",
    "theme.primaryColor": PINE,
    "theme.backgroundColor": PAPER,
    "theme.secondaryBackgroundColor": SHADE,
    "theme.textColor": INK,
    "theme.linkColor": PINE,
    "theme.borderColor": LINE,
    "theme.greenColor": RISE,
    "theme.greenTextColor": RISE,
    "theme.redColor": FALL,
    "theme.redTextColor": FALL,
    "theme.orangeColor": APRICOT,
    "theme.orangeTextColor": APRICOT_DEEP,
    "theme.orangeBackgroundColor": APRICOT_PALE,
    "theme.grayTextColor": MUTED,
    "theme.codeTextColor": PINE_DEEP,
    "theme.codeBackgroundColor": SHADE,
    "theme.font": "sans-serif",
    "theme.headingFont": "serif",
    "theme.headingFontSizes": ["2.1rem", "1.5rem", "1.2rem"],
    "theme.headingFontWeights": [600, 600, 600],
    "theme.metricValueFontSize": "2.1rem",
    "theme.metricValueFontWeight": 600,
    "theme.baseRadius": "0.7rem",
    "theme.buttonRadius": "full",
    "theme.showWidgetBorder": True,
    "theme.showSidebarBorder": False,
    "theme.dataframeBorderColor": LINE,
    "theme.dataframeHeaderBackgroundColor": SHADE,
    "theme.dataframeHeaderTextColor": MUTED,
    "theme.sidebar.backgroundColor": PINE_DEEP,
    "theme.sidebar.secondaryBackgroundColor": "#214640",
    "theme.sidebar.textColor": "#E9F0EA",
    "theme.sidebar.linkColor": "#F3B488",
    "theme.sidebar.primaryColor": APRICOT,
    "theme.sidebar.borderColor": "#2F564F",
}

CSS = f"""
[data-testid="stStatusWidget"], [data-testid="stAppDeployButton"], [data-testid="stMainMenu"],
[data-testid="stDecoration"] {{ display: none }}
[data-testid="stHeader"] {{ background: transparent }}
[data-testid="stMainBlockContainer"] {{ max-width: 76rem; padding: 2.6rem 3rem 4rem }}
[data-testid="stSidebarHeader"] {{ gap: .6rem; justify-content: flex-start }}
[data-testid="stSidebarHeader"] > :first-child::after {{
  content: "Earshot"; font: 600 1.35rem/1 {SERIF}; color: {PAPER}; margin-left: .65rem; align-self: center;
}}
[class*="st-key-card-"] {{
  background: {CARD}; border-color: {LINE}; box-shadow: 0 1px 2px rgb(28 43 42 / 5%);
}}
.es-spark {{ display: block; width: 100%; height: 2.4rem }}
[data-testid="stMetricLabel"] {{ color: {MUTED} }}
[data-testid="stMetricValue"] {{ font-family: {SERIF}; font-variant-numeric: lining-nums tabular-nums }}
[data-testid="stCaptionContainer"], [data-testid="stMetricDeltaDescription"] {{ opacity: 1; color: {MUTED} !important }}
.es-note {{ color: {MUTED}; font-size: .9rem; margin: 0 }}
.es-live {{
  display: flex; flex-wrap: wrap; gap: .35rem 1.6rem; align-items: baseline; background: {PINE_DEEP}; color: {PAPER};
  border-radius: .7rem; padding: .75rem 1.1rem; font-size: .98rem;
}}
.es-live b {{ font-family: {SERIF}; font-size: 1.2rem; font-variant-numeric: lining-nums tabular-nums }}
.es-live .es-late {{ color: #F7C49F }}
.es-live .es-last {{ margin-left: auto; opacity: .85 }}
.es-dot {{
  display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: {APRICOT}; margin-right: .55rem;
}}
.es-dot.es-quiet {{ background: #6F8A83 }}
[class*="st-key-cause-"] {{ border-top: 1px solid {LINE}; padding-top: 1rem; gap: .6rem }}
.es-verdict {{ margin: 0; padding: .6rem .9rem; border-radius: .7rem }}
.es-verdict b {{ margin-right: .35rem }}
.es-holds {{ background: {PINE_PALE}; color: {PINE_DEEP} }}
.es-fails {{ background: #F8DDD8; color: #7A2A14 }}
.es-path {{ border-collapse: collapse; width: 100%; font-size: .95rem }}
.es-path th {{ text-align: left; font-weight: 600; color: {MUTED}; padding: .3rem .6rem }}
.es-path td {{ border-top: 1px solid {LINE}; padding: .4rem .6rem; vertical-align: top; overflow-wrap: anywhere }}
.es-path td:last-child {{ color: {MUTED}; font-size: .88rem; min-width: 9rem }}
.es-path .es-passed td:first-child {{ color: {RISE} }}
.es-path .es-stopped td {{ background: #F8DDD8; color: #7A2A14; font-weight: 600 }}
.es-path .es-not-asked td {{ color: {MUTED}; opacity: .7 }}
.es-account {{ font-size: .92rem; line-height: 1.45; opacity: .92; overflow-wrap: anywhere }}
.es-account a {{ color: #F3B488 }}
@media (max-width: 640px) {{
  [data-testid="stMainBlockContainer"] {{ padding-left: 1rem; padding-right: 1rem; padding-top: 3.4rem }}
  .es-live .es-last {{ margin-left: 0 }}
  [class*="st-key-cards"] [data-testid="stHorizontalBlock"] {{ flex-direction: row; flex-wrap: wrap }}
  [class*="st-key-cards"] [data-testid="stColumn"] {{ flex: 1 1 calc(50% - 1rem); min-width: calc(50% - 1rem) }}
  [class*="st-key-cards"] [data-testid="stMetricDeltaDescription"] {{ display: none }}
}}
"""

WAVE = (5, 9, 14, 8, 20, 30, 22, 36, 44, 28, 40, 52, 34, 24, 38, 48, 30, 18, 26, 34, 20, 12, 16, 9, 6)
"""Heights of the sign-in page's sound wave."""


def wave_svg() -> str:
    """A sound wave whose middle was heard offline."""
    bars = "".join(
        f'<rect x="{index * 11}" y="{30 - height / 2}" width="6" height="{height}" rx="3" '
        f'fill="{APRICOT if 9 <= index <= 15 else PINE_PALE}"/>'
        for index, height in enumerate(WAVE)
    )
    return f'<svg viewBox="0 0 {len(WAVE) * 11} 60" aria-hidden="true" class="wave">{bars}</svg>'


def sign_in_css(sans_url: str, serif_url: str) -> str:
    """The sign-in page's style; the two addresses are those of Streamlit's fonts on this server."""
    return f"""
@font-face {{ font-family: "Source Sans"; src: url("{sans_url}") format("woff2"); font-weight: 200 900 }}
@font-face {{ font-family: "Source Serif"; src: url("{serif_url}") format("woff2"); font-weight: 200 900 }}
* {{ box-sizing: border-box }}
body {{ margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr);
  font: 400 1rem/1.5 {SANS}; color: {INK}; background: {PAPER} }}
.brand {{ background: {PINE_DEEP}; color: {PAPER}; padding: 3rem clamp(1.5rem, 5vw, 4.5rem); display: flex;
  flex-direction: column; justify-content: space-between; gap: 2rem }}
.brand .name {{ display: flex; align-items: center; gap: .7rem; font: 600 1.5rem/1 {SERIF} }}
.brand .name svg {{ outline: 1px solid rgb(255 255 255 / 18%); border-radius: 9px }}
.brand h1 {{ font: 600 clamp(1.7rem, 3.2vw, 2.6rem)/1.2 {SERIF}; margin: 0 0 .8rem }}
.brand p {{ margin: 0; max-width: 34ch; color: {PINE_PALE} }}
.wave {{ width: 100%; max-width: 24rem; display: block; margin-bottom: 2rem }}
main {{ display: grid; place-items: center; padding: 2rem 1.25rem }}
form {{ width: 100%; max-width: 23rem; display: grid; gap: 1.1rem }}
h2 {{ font: 600 1.7rem/1.2 {SERIF}; margin: 0 }}
label {{ display: grid; gap: .35rem; font-weight: 600 }}
input {{ font: inherit; padding: .7rem .85rem; border: 1px solid #9AA5A0; border-radius: .7rem; background: {CARD};
  color: {INK} }}
button {{ font: inherit; font-weight: 600; padding: .75rem 1rem; border: 0; border-radius: 2rem; background: {PINE};
  color: {CARD}; cursor: pointer }}
button:hover {{ background: {PINE_DEEP} }}
input:focus-visible, button:focus-visible {{ outline: 3px solid {APRICOT}; outline-offset: 2px }}
.error, .notice {{ margin: 0; padding: .75rem .95rem; border-radius: .7rem }}
.error {{ background: {APRICOT_PALE}; color: #7A2A14; border-left: 4px solid {FALL} }}
.notice {{ background: {SHADE}; border-left: 4px solid {PINE} }}
.hint {{ margin: 0; color: {MUTED}; font-size: .92rem }}
@media (max-width: 760px) {{
  body {{ grid-template-columns: 1fr; grid-template-rows: auto 1fr }}
  .brand {{ padding: 1.5rem 1.25rem; gap: 1.4rem }}
  .brand h1 {{ font-size: 1.5rem; margin: 0 }}
  .brand p, .wave {{ display: none }}
  main {{ place-items: start center }}
}}
"""
