"""The sign-in page's HTML: plain, and whole without JavaScript."""

from html import escape

from dashboard import theme

SIGN_OUT_FORM = """
<form method="post" action="/sign-out">
  <h2>Sign out?</h2>
  <button type="submit">Sign out</button>
  <p class="hint"><a href="/">Stay signed in</a></p>
</form>"""


def sign_in(*, target: str, email: str = "", error: str = "", notice: str = "") -> str:
    """The form; `target` is where to go afterwards, `error` and `notice` are plain text."""
    said = ""
    if error:
        said = f'<p class="error" role="alert" id="said">{escape(error)}</p>'
    elif notice:
        said = f'<p class="notice" role="status" id="said">{escape(notice)}</p>'
    focus_email, focus_password = ("", " autofocus") if email else (" autofocus", "")
    described = ' aria-describedby="said"' if said else ""
    return page(
        "Sign in",
        f"""
<form method="post" action="/sign-in">
  <h2>Sign in</h2>
  {said}
  <input type="hidden" name="next" value="{escape(target)}">
  <label>E-mail address
    <input type="email" name="email" value="{escape(email)}" autocomplete="username" required maxlength="254"
      {described}{focus_email}></label>
  <label>Password
    <input type="password" name="password" autocomplete="current-password" required maxlength="1024"
      {described}{focus_password}></label>
  <button type="submit">Sign in</button>
  <p class="hint">No account yet? Whoever runs this Earshot makes one with <code>earshot users add</code>.</p>
</form>""",
    )


def page(title: str, main: str) -> str:
    """A page in our look around trusted HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Earshot</title>
<link rel="icon" href="/earshot.svg" type="image/svg+xml">
<link rel="stylesheet" href="/sign-in.css">
</head>
<body>
<div class="brand">
  <div class="name">{theme.LOGO_SVG} Earshot</div>
  <div>
    {theme.wave_svg()}
    <h1>What is really heard,<br>online and offline.</h1>
    <p>Listens that happened on a train without a connection count as soon as the phone is back.</p>
  </div>
</div>
<main>{main}</main>
</body>
</html>"""
