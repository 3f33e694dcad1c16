"""What goes wrong in the survey, each with whose fault it is and what to do."""

from __future__ import annotations


class SurveyError(Exception):
    """Root of all errors of the survey; its text says what to do."""


class DefinitionError(SurveyError):
    """The questionnaire's definition is not one; the institute mends it."""


class FieldError(SurveyError):
    """The field's folder lacks something or is another one; the town mends it."""


class OpeningError(SurveyError):
    """A key does not open what it should; its holder mends it."""


class MarginsError(SurveyError):
    """Margins, letters and answers do not fit together; the statistics office mends it."""


class LawError(SurveyError):
    """A paper, an assessment or a signature is not there; the town decides and records it."""


class PaperError(SurveyError):
    """A form on paper is not clear or not whole; the people at the desk look again."""


class CodingError(SurveyError):
    """Open texts are not checked or coded as they must be; those who code them mend it."""
