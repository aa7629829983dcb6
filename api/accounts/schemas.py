"""What sign-in takes and gives."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.tables import Role


class SignInRequest(BaseModel):
    """An e-mail address and its password."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class UserOut(BaseModel):
    """A person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(validation_alias="uuid")
    email: str
    name: str
    role: Role


class SessionOut(BaseModel):
    """A session just begun; the token is shown this once."""

    token: str
    """Send it as `Authorization: Bearer <token>`."""
    expires_at: datetime
    user: UserOut
