"""Why advertising says no. Each refusal has its own code, and its message says what to do."""

from api.errors import ConflictError, InvalidError, UnavailableError


class NameTakenError(ConflictError):
    """Another advertiser, campaign of this advertiser, or creative of this campaign has the name."""

    code = "name_taken"


class NotAdvertisingError(ConflictError):
    """Only accounts with the role advertiser can be members of one."""

    code = "not_an_advertiser"


class FixedError(ConflictError):
    """What was counted or settled by a term keeps that term."""

    code = "fixed"


class HeardError(ConflictError):
    """A budget or a cap below what was heard already, and is billed."""

    code = "below_heard"


class BusyError(UnavailableError):
    """A month is being closed; come back after `Retry-After` seconds."""

    code = "busy"


class SpentError(ConflictError):
    """The campaign's budget or cap is used up."""

    code = "spent"


class OverlapError(ConflictError):
    """Another ad takes up a part of the same recording on some of the same days."""

    code = "overlap"


class RemovedError(ConflictError):
    """The placement was removed."""

    code = "removed"


class OutsideCampaignError(InvalidError):
    """Days on which the campaign does not run."""

    code = "outside_campaign"


class PastError(InvalidError):
    """Days that are over are changed only by counting back."""

    code = "in_the_past"


class BeyondEndError(InvalidError):
    """The recording is over before the ad is."""

    code = "beyond_end"


class TooShortError(InvalidError):
    """An ad has at least one whole second."""

    code = "too_short"


class OtherShowError(InvalidError):
    """The episode is one of another show."""

    code = "episode_of_another_show"


class TooSmallBudgetError(InvalidError):
    """The budget does not pay for a single impression."""

    code = "budget_too_small"


class DaysError(InvalidError):
    """A span of days that is over before it begins, is over already, or is too long."""

    code = "bad_days"
