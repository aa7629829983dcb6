"""What delivery tells about itself."""

from typing import Literal

from pydantic import BaseModel, Field


class DeliveryOut(BaseModel):
    """Where audio comes from, and what its downloads are counted from."""

    audio_from: Literal["earshot", "cdn"] = Field(
        description="`cdn`: requests for audio are answered with a redirect to it."
    )
    cdn_url: str | None
    counted_from: Literal["requests", "redirects", "cdn_logs"] = Field(
        description="`requests`: each request for audio, by the bytes that were sent. `redirects`: each redirect to "
        "the CDN, as if all that was asked for had been sent. `cdn_logs`: the CDN's access logs, once imported; the "
        "redirects themselves are hits with the cause `redirected`."
    )
