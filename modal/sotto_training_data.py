"""What a model may be trained on: a public or private data set of the Hugging Face Hub, and never people's chats.

Whatever Sotto writes for a person or an operator (exports, verification documents, backups) says so: it holds
`"format": "sotto-…"`, its file is named `sotto-…`, or it has fields that nothing else has, such as a turn's key. A data
set with any of these is refused, as is one with a file that cannot be read to its end. This guards against a mistake.
It cannot know text that somebody copied out of a chat by hand.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_repository = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_commit = re.compile(r"[0-9a-f]{40}")

# Names that only Sotto's own records have, without case, dashes and underscores.
_private_names = frozenset(
    (
        "turnkey replyitemid transcripthash cachesalt keyslot keyslots accountkey vaulthead serverkeys sealedrequest"
        " evidencedigest keystatement recoveryphrase verifiedatms verificationitemid weightsdigest"
    ).split()
)
_item_types = frozenset(
    (
        "conversation message reply reply-note settings preference verification folder document transcript"
        " answer-request choices summary project"
    ).split()
)
# In any text: a format of ours, or one of our fields as JSON, however often its quotes were escaped or doubled.
_quote = r"""[\\"']*"""
_traces = re.compile(
    rf"\bformat{_quote}\s*[:=,]\s*{_quote}sotto[-/]"
    rf"|[\"'](?:turn_?key|reply_?item_?id|transcript_?hash|cache_?salt|key_?statement|evidence_?digest"
    rf"|verified_?at_?ms){_quote}\s*:",
    re.IGNORECASE,
)
_own_file = re.compile(r"(?:^|/)(?:sotto[-_.][^/]*|[^/]*\.(?:sotto|backup))$", re.IGNORECASE)

_data_suffixes = frozenset([".jsonl", ".json", ".csv", ".tsv", ".parquet"])
_ignored_names = re.compile(r"(?:^|/)(?:\.gitattributes|\.gitignore|LICEN[CS]E[^/]*|NOTICE)$")
_longest_json = 1 << 30
_deepest = 64


class RefusedData(Exception):
    """A reason not to train: one sentence without anything of the data in it."""


def check_names(dataset: str, revision: str, output: str) -> None:
    """Asks for a data set of the Hub at a commit, and a repository to write to; no path of this machine will do."""
    if _repository.fullmatch(dataset) is None or ".." in dataset:
        raise RefusedData("--dataset must be a data set of the Hugging Face Hub, owner/name. Local files are refused.")
    if Path(dataset).exists():
        raise RefusedData("A file or folder here has the name of the data set: local files are refused, so move it.")
    if _commit.fullmatch(revision) is None:
        raise RefusedData("--dataset-revision must be a commit of the data set, 40 hex digits.")
    if _repository.fullmatch(output) is None or output == dataset:
        raise RefusedData("--output must be another repository, owner/name, for the adapter.")


def find_data_files(names: Iterable[str]) -> list[str]:
    """The files to train on, out of all files of the repository. Raises RefusedData for one that cannot be checked."""
    found = []
    for name in sorted(names):
        if _own_file.search(name):
            raise RefusedData(
                "The data set holds a file that is named as Sotto names its own: chats are not trained on."
            )
        suffix = Path(name).suffix.lower()
        if suffix in _data_suffixes:
            found.append(name)
        elif suffix != ".md" and _ignored_names.search(name) is None:
            raise RefusedData(
                "The data set holds a file that cannot be checked: .jsonl, .json, .csv, .tsv and .parquet are read."
            )
    if not found:
        raise RefusedData("The data set holds no file of data.")
    if len({Path(name).suffix.lower() for name in found}) > 1:
        raise RefusedData("The data set mixes formats: give one with files of a single format.")
    return found


def check_files(folder: Path, names: Iterable[str]) -> list[dict[str, object]]:
    """Reads every record of every file and the cards beside them; returns the records. Raises RefusedData."""
    listed = list(names)
    data = find_data_files(listed)
    for name in listed:
        if name not in data and name.lower().endswith(".md"):
            _check_text((folder / name).read_text(encoding="utf-8", errors="replace"))
    records = []
    for name in data:
        try:
            for record in _read(folder / name):
                if not isinstance(record, dict):
                    raise RefusedData("A record of the data set is no object with named fields.")
                _check(record, 0)
                records.append(record)
        except RefusedData:
            raise
        except Exception as error:
            raise RefusedData("A file of the data set cannot be read to its end.") from error
    return [_for_training(record) for record in records]


def _read(path: Path) -> Iterator[object]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet

        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=1024):
            yield from batch.to_pylist()
    elif suffix == ".jsonl":
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
    elif suffix == ".json":
        if path.stat().st_size > _longest_json:
            raise RefusedData("A .json file is longer than 1 GiB: give .jsonl or .parquet.")
        value = json.loads(path.read_text(encoding="utf-8"))
        yield from value if isinstance(value, list) else [value]
    else:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, delimiter="\t" if suffix == ".tsv" else ",", strict=True)


def _check(value: object, depth: int) -> None:
    if depth > _deepest:
        raise RefusedData("A record of the data set is nested too deeply.")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        plain = {re.sub(r"[-_\s]", "", str(name)).lower(): member for name, member in value.items()}
        form = plain.get("format")
        is_ours = (
            not _private_names.isdisjoint(plain)
            or (isinstance(form, str) and re.match(r"\s*sotto[-/]", form, re.IGNORECASE) is not None)
            or (plain.get("type") in _item_types and isinstance(form, int))
        )
        if is_ours:
            raise RefusedData("The data set holds records of Sotto: people's chats are not trained on.")
        for name, member in value.items():
            _check_text(str(name))
            _check(member, depth + 1)
    elif isinstance(value, list | tuple):
        for member in value:
            _check(member, depth + 1)
    elif isinstance(value, bytes):
        _check_text(value.decode("utf-8", errors="replace"))


def _check_text(text: str) -> None:
    if _traces.search(text) is not None:
        raise RefusedData("The data set holds text in a format of Sotto: people's chats are not trained on.")


def _for_training(record: dict[str, object]) -> dict[str, object]:
    """Keeps what TRL trains on, in one of its three shapes, and nothing else of a record."""
    messages = record.get("messages")
    if isinstance(messages, list) and messages:
        kept = [
            {"role": message.get("role"), "content": message.get("content")}
            for message in messages
            if isinstance(message, dict)
        ]
        roles = ("system", "user", "assistant")
        if len(kept) == len(messages) and all(
            message["role"] in roles and isinstance(message["content"], str) for message in kept
        ):
            return {"messages": kept}
    elif isinstance(record.get("prompt"), str) and isinstance(record.get("completion"), str):
        return {"prompt": record["prompt"], "completion": record["completion"]}
    elif isinstance(record.get("text"), str):
        return {"text": record["text"]}
    raise RefusedData("Records need `messages` (role and content), `prompt` and `completion`, or `text`, as text.")
