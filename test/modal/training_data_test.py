"""What finetune.py refuses to train on, each beside the twin that is accepted."""

import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

from sotto_training_data import RefusedData, check_files, check_names, find_data_files  # noqa: E402

commit = "0123456789abcdef0123456789abcdef01234567"
turn = {"messages": [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "4"}]}


class Names(unittest.TestCase):
    def refuses(self, dataset="owner/data", revision=commit, output="owner/adapter"):
        with self.assertRaises(RefusedData):
            check_names(dataset, revision, output)

    def test_a_data_set_of_the_hub_at_a_commit_is_taken(self):
        check_names("owner/data", commit, "owner/adapter")
        check_names("HuggingFaceH4/ultrachat_200k", commit, "me/my.adapter-1")

    def test_paths_of_this_machine_are_refused(self):
        for dataset in (
            "chats.jsonl",
            "./owner/data",
            "/home/me/data",
            "~/data",
            "../data",
            "owner/../data",
            "owner/data/more",
            "file:///data",
            "https://example.org/data",
            "owner\\data",
            "json",
            "",
            "owner/",
            "/data",
            "s3://owner/data",
        ):
            with self.subTest(dataset):
                self.refuses(dataset=dataset)

    def test_a_folder_here_of_that_name_is_refused(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                check_names("owner/data", commit, "owner/adapter")
                os.makedirs("owner/data")
                self.refuses()
            finally:
                os.chdir(before)

    def test_a_branch_is_refused(self):
        for revision in ("main", "", "0123456", commit.upper(), commit + "0", "refs/pr/1"):
            with self.subTest(revision):
                self.refuses(revision=revision)

    def test_the_data_set_as_output_is_refused(self):
        self.refuses(output="owner/data")
        self.refuses(output="adapter")


class Files(unittest.TestCase):
    def test_files_of_one_format_are_taken_beside_a_card_and_a_licence(self):
        names = ["README.md", "LICENSE", ".gitattributes", "data/train-1.parquet", "data/train-0.parquet"]
        self.assertEqual(find_data_files(names), ["data/train-0.parquet", "data/train-1.parquet"])

    def test_files_that_cannot_be_checked_are_refused(self):
        for name in (
            "load.py",
            "data.zip",
            "data.jsonl.gz",
            "data.tar",
            "data.arrow",
            "data.bin",
            "notes.txt",
            "data",
            "a.pkl",
        ):
            with self.subTest(name), self.assertRaises(RefusedData):
                find_data_files(["train.jsonl", name])

    def test_names_of_sotto_are_refused(self):
        for name in (
            "sotto-2026-11-22.backup",
            "nightly.backup",
            "export/sotto-export.json",
            "Sotto-Conversations.jsonl",
            "sotto_export.jsonl",
            "sotto-recovery-phrase.txt",
            "chat.sotto",
        ):
            with self.subTest(name), self.assertRaises(RefusedData):
                find_data_files(["train.jsonl", name])
        # The word alone, as in music, is nobody's chat.
        find_data_files(["data/sottovoce.jsonl", "risotto-recipes.jsonl"])

    def test_nothing_and_a_mixture_are_refused(self):
        for names in (["README.md"], ["a.jsonl", "b.csv"]):
            with self.subTest(names), self.assertRaises(RefusedData):
                find_data_files(names)


class Records(unittest.TestCase):
    def read(self, text: str | bytes, name: str = "train.jsonl", card: str | None = None):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            names = [name]
            if card is not None:
                Path(folder, "README.md").write_text(card)
                names.append("README.md")
            return check_files(Path(folder), names)

    def refuses(self, text: str | bytes, name: str = "train.jsonl", card: str | None = None):
        with self.assertRaises(RefusedData) as caught:
            self.read(text, name, card)
        return str(caught.exception)

    def lines(self, *records: object) -> str:
        return "".join(json.dumps(record) + "\n" for record in records)

    def test_the_three_shapes_are_taken_and_other_columns_are_dropped(self):
        records = [
            turn,
            {"prompt": "2 + 2 =", "completion": " 4", "source": "school"},
            {
                "text": "Sotto voce: in a low voice.",
                "conversation_id": "7",
                "turn_id": 3,
                "format": "markdown",
                "type": "message",
            },
        ]
        self.assertEqual(
            self.read(self.lines(*records)),
            [turn, {"prompt": "2 + 2 =", "completion": " 4"}, {"text": "Sotto voce: in a low voice."}],
        )

    def test_formats_of_sotto_are_refused_wherever_they_stand(self):
        for mark in ("sotto-export-1", "sotto-backup-1", "sotto-verification/1", "sotto/v1", "SOTTO-EXPORT-9"):
            for record in (
                {**turn, "format": mark},
                {**turn, "about": {"deep": [{"Format": mark}]}},
                {"text": json.dumps({"format": mark})},
                {"text": json.dumps({"inner": json.dumps({"format": mark})})},
                {"messages": [{"role": "user", "content": f'here: {{"format": "{mark}"}}'}]},
            ):
                with self.subTest(record):
                    self.refuses(self.lines(turn, record))

    def test_fields_of_sotto_are_refused_however_they_are_written(self):
        for name in (
            "turnKey",
            "turn_key",
            "TURN-KEY",
            "replyItemId",
            "transcriptHash",
            "cacheSalt",
            "keyStatement",
            "serverKeys",
        ):
            with self.subTest(name):
                self.refuses(self.lines({**turn, name: "x"}))
                self.refuses(self.lines({**turn, "meta": [{name: None}]}))
        self.refuses(self.lines({"text": '[{"turnKey":"AAAA"}]'}))

    def test_an_item_of_the_vault_is_refused(self):
        self.refuses(self.lines({"type": "settings", "format": 1, "text": "x"}))
        self.read(self.lines({"type": "settings", "format": "1", "text": "x"}))

    def test_the_last_record_is_read_too(self):
        self.read(self.lines(*[turn] * 5000))
        self.refuses(self.lines(*[turn] * 5000, {**turn, "turnKey": "x"}))

    def test_a_broken_line_is_refused_and_nothing_of_it_is_said(self):
        reason = self.refuses(self.lines(turn) + '{"text": "a private word"')
        self.assertNotIn("private", reason)

    def test_nesting_without_end_is_refused(self):
        self.read(self.lines({**turn, "deep": json.loads("[" * 30 + "]" * 30)}))
        self.refuses(self.lines({**turn, "deep": json.loads("[" * 200 + "]" * 200)}))

    def test_a_card_that_names_the_format_is_refused(self):
        self.read(self.lines(turn), card="# Arithmetic")
        self.refuses(self.lines(turn), card="Written by Sotto, format: sotto-export-1")

    def test_other_shapes_are_refused(self):
        for record in (
            {"question": "?", "answer": "!"},
            {"messages": []},
            {"messages": [{"role": "robot", "content": "x"}]},
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            {"text": 3},
        ):
            with self.subTest(record):
                self.refuses(self.lines(record))
        self.refuses("[1, 2]\n")

    def test_json_csv_and_tsv(self):
        self.assertEqual(self.read(json.dumps([turn]), "train.json"), [turn])
        self.refuses(json.dumps({"format": "sotto-export-1", "text": "x"}), "train.json")
        self.assertEqual(self.read("prompt,completion\na,b\n", "train.csv"), [{"prompt": "a", "completion": "b"}])
        self.refuses("prompt,completion,turn_key\na,b,c\n", "train.csv")
        self.refuses('prompt,completion\na,"{""format"":""sotto-export-1""}"\n', "train.csv")
        self.assertEqual(self.read("text\tn\nhello\t1\n", "train.tsv"), [{"text": "hello"}])
        self.refuses("text\tcacheSalt\nhello\t1\n", "train.tsv")

    def test_parquet(self):
        import pyarrow
        import pyarrow.parquet

        def parquet(records: list[dict[str, object]]) -> bytes:
            sink = pyarrow.BufferOutputStream()
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), sink)
            return sink.getvalue().to_pybytes()

        self.assertEqual(self.read(parquet([turn]), "train.parquet"), [turn])
        self.refuses(parquet([{**turn, "turnKey": b"1"}]), "train.parquet")
        self.refuses(parquet([{**turn, "meta": {"replyItemId": "1"}}]), "train.parquet")
        self.refuses(parquet([{"text": "fine"}, {"text": '{"format":"sotto-export-1"}'}]), "train.parquet")
        self.refuses(b"PAR1 not really", "train.parquet")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--check":
        # For the test that gives what Sotto really writes: the file, and nothing said of it but the reason.
        path = Path(sys.argv[2])
        try:
            print(len(check_files(path.parent, [path.name])))
        except RefusedData as refusal:
            sys.exit(str(refusal))
    else:
        unittest.main()
