"""Model scripts and data files: what loads, and what each bad one is told."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ppl_mle.errors import DataError, ModelError, ScriptError
from ppl_mle.script import load_script
from ppl_mle.table import check_data, read_table

GOOD = '''"""A coin.

    Indented.
"""
import pandas as pd
import pymc as pm


def load_data():
    return pd.DataFrame({"x": [1.0, 2.0], "group": ["u", "v"]})


def build_model(data):
    with pm.Model() as model:
        mu = pm.Flat("mu")
        pm.Normal("x", mu, 1, observed=data["x"])
    return model


def reference(data):
    return pd.Series({"mu": data["x"].mean()}, name="mean")
'''
BUILD = "def build_model(data):\n    return None\n"


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return load_script(path)

    return load_text


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_text


def assert_one_sentence(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


class TestGoodScript:
    def test_carries_its_name_documentation_and_text(self, load, tmp_path):
        script = load(GOOD)
        assert (script.path, script.name, script.source) == (tmp_path / "script.py", "script", GOOD)
        assert script.doc == "A coin.\n\nIndented."

    def test_functions(self, load):
        script = load(GOOD)
        data = script.load_data()
        assert list(data.columns) == ["x", "group"]
        assert [rv.name for rv in script.build_model(data).free_RVs] == ["mu"]
        pd.testing.assert_frame_equal(script.reference(data), pd.DataFrame({"mean": {"mu": 1.5}}))

    def test_leaves_no_trace_in_the_process_or_beside_the_file(self, load, tmp_path):
        path, modules = list(sys.path), set(sys.modules)
        load("import sys\n" + BUILD)
        assert sys.path == path
        assert set(sys.modules) == modules
        assert [file.name for file in tmp_path.iterdir()] == ["script.py"]

    def test_runs_the_text_as_it_is_now(self, load):
        # A bytecode cache cannot tell two texts of the same length within the same second apart.
        assert load(BUILD + "N = 1\n").module.N == 1
        assert load(BUILD + "N = 2\n").module.N == 2

    def test_dataclasses_work_in_a_script(self, load):
        load("from dataclasses import dataclass\n@dataclass\nclass Case:\n    n: 'int' = 0\n" + BUILD)

    def test_cannot_change_the_data_of_its_caller(self, load):
        script = load(
            "def build_model(data): ...\ndef reference(data):\n    data['x'] = 0.0\n    data.iloc[0, 0] = 5\n"
        )
        data = pd.DataFrame({"x": [1.0, 2.0]})
        script.reference(data)
        assert data["x"].tolist() == [1.0, 2.0]

    def test_importing_the_loader_is_cheap(self):
        heavy = "{'numpy', 'pandas', 'pymc', 'pytensor', 'scipy'}"
        code = f"import sys, ppl_mle.script; print(sorted({heavy} & set(sys.modules)))"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "[]"


class TestBadScript:
    def test_missing(self, tmp_path):
        with pytest.raises(ScriptError) as error:
            load_script(tmp_path / "none.py")
        assert_one_sentence(error, tmp_path / "none.py", "does not exist", "check the path")

    def test_folder(self, tmp_path):
        with pytest.raises(ScriptError) as error:
            load_script(tmp_path)
        assert_one_sentence(error, tmp_path, "is a folder", "name one model script")

    def test_data_file_instead_of_script(self, write):
        with pytest.raises(ScriptError) as error:
            load_script(write("x\n1\n"))
        assert_one_sentence(error, "data.csv", "is not a model script", ".py")

    def test_not_python(self, load):
        with pytest.raises(ScriptError) as error:
            load("x = 1\ndef build_model(data:\n    pass\n")
        assert_one_sentence(error, "script.py", "not valid Python", "line 2", "correct")

    def test_not_text(self, tmp_path):
        path = tmp_path / "binary.py"
        path.write_bytes(b"x = '\xff\xfe'\n")
        with pytest.raises(ScriptError) as error:
            load_script(path)
        assert_one_sentence(error, path, "is not Python text", "UTF-8")

    def test_null_byte(self, load):
        with pytest.raises(ScriptError) as error:
            load("x = 1\0\n")
        assert_one_sentence(error, "script.py", "null byte")

    def test_raises_when_run(self, load):
        with pytest.raises(ScriptError) as error:
            load("x = 1\n\ny = {}['price']\n")
        assert_one_sentence(error, "script.py", "running the script", "KeyError: 'price'", "line 3", "correct")
        assert isinstance(error.value.__cause__, KeyError)

    def test_missing_import(self, load):
        with pytest.raises(ScriptError) as error:
            load("import no_such_package\n")
        assert_one_sentence(error, "ModuleNotFoundError", "no_such_package", "line 1")

    def test_exits_when_run(self, load):
        with pytest.raises(ScriptError) as error:
            load("import sys\nsys.exit(0)\n")
        assert_one_sentence(error, "SystemExit: 0", "line 2")

    def test_message_of_several_lines_becomes_one(self, load):
        with pytest.raises(ScriptError) as error:
            load("raise ValueError('first\\n   second')\n")
        assert_one_sentence(error, "ValueError: first second (line 1)")

    def test_exception_without_message(self, load):
        with pytest.raises(ScriptError) as error:
            load("raise ValueError\n")
        assert_one_sentence(error, "raised ValueError (line 1);")

    @pytest.mark.parametrize("text", ["x = 1\n", "build_model = 3\n"])
    def test_without_build_model(self, load, text):
        with pytest.raises(ScriptError) as error:
            load(text)
        assert_one_sentence(error, "script.py", "no build_model(data)", "add that function")

    def test_without_load_data(self, load):
        with pytest.raises(ScriptError) as error:
            load(BUILD).load_data()
        assert_one_sentence(error, "script.py", "no load_data()", "--data FILE")

    def test_load_data_returns_something_else(self, load):
        with pytest.raises(ScriptError) as error:
            load(BUILD + "def load_data():\n    return {'x': [1]}\n").load_data()
        assert_one_sentence(error, "script.py", "load_data() returned an object of type dict", "DataFrame")

    @pytest.mark.parametrize(
        ("frame", "parts"),
        [
            ("{'x': []}", ["has no rows"]),
            ("{'x': [1.0, float('inf')]}", ["column 'x'", "1 infinite value (row 2)"]),
        ],
    )
    def test_load_data_returns_bad_data(self, load, frame, parts):
        script = load(BUILD + f"import pandas as pd\ndef load_data():\n    return pd.DataFrame({frame})\n")
        with pytest.raises(DataError) as error:
            script.load_data()
        assert_one_sentence(error, "script.py: load_data()", *parts)

    def test_build_model_returns_nothing(self, load):
        with pytest.raises(ScriptError) as error:
            load(BUILD).build_model(pd.DataFrame({"x": [1.0]}))
        assert_one_sentence(error, "script.py", "build_model() returned None", "return model")

    def test_build_model_returns_something_else(self, load):
        with pytest.raises(ScriptError) as error:
            load("def build_model(data):\n    return data\n").build_model(pd.DataFrame({"x": [1.0]}))
        assert_one_sentence(error, "script.py", "build_model() returned an object of type DataFrame", "pm.Model")

    @pytest.mark.parametrize("function", ["load_data", "build_model", "reference"])
    def test_function_raises(self, load, function):
        script = load(BUILD + f"def {function}(*data):\n    x = 1\n    return x / 0\n")
        arguments = [] if function == "load_data" else [pd.DataFrame({"x": [1.0]})]
        with pytest.raises(ScriptError) as error:
            getattr(script, function)(*arguments)
        assert_one_sentence(error, "script.py", f"{function}() raised ZeroDivisionError: division by zero", "line 5")
        assert isinstance(error.value.__cause__, ZeroDivisionError)

    def test_line_is_the_script_s_even_where_a_library_raises(self, load):
        script = load("def build_model(data):\n    return data['price']\n")
        with pytest.raises(ScriptError) as error:
            script.build_model(pd.DataFrame({"x": [1.0]}))
        assert_one_sentence(error, "KeyError: 'price' (line 2)")

    def test_build_model_without_argument(self, load):
        with pytest.raises(ScriptError) as error:
            load("def build_model():\n    return None\n").build_model(pd.DataFrame({"x": [1.0]}))
        assert_one_sentence(error, "script.py", "TypeError: build_model() takes 0 positional arguments")

    def test_ctrl_c_and_our_own_errors_pass_through(self, load):
        script = load(
            "from ppl_mle.errors import ModelError\n"
            "def build_model(data):\n    raise KeyboardInterrupt\n"
            "def reference(data):\n    raise ModelError('as it is')\n"
        )
        with pytest.raises(KeyboardInterrupt):
            script.build_model(pd.DataFrame({"x": [1.0]}))
        with pytest.raises(ModelError, match=r"^as it is$"):
            script.reference(pd.DataFrame({"x": [1.0]}))


class TestReference:
    DATA = pd.DataFrame({"x": [1.0]})

    def test_absent(self, load):
        assert load(BUILD).reference(self.DATA) is None

    def test_none(self, load):
        assert load(BUILD + "def reference(data):\n    return None\n").reference(self.DATA) is None

    def test_unnamed_series(self, load):
        script = load(BUILD + "import pandas as pd\ndef reference(data):\n    return pd.Series({'a': 1.0})\n")
        assert script.reference(self.DATA).columns.tolist() == ["reference"]

    def test_frame(self, load):
        text = "import pandas as pd\ndef reference(data):\n    return pd.DataFrame({'R': {'a': 1}, 'SAS': {'a': 1}})\n"
        assert load(BUILD + text).reference(self.DATA).columns.tolist() == ["R", "SAS"]

    def test_something_else(self, load):
        with pytest.raises(ScriptError) as error:
            load(BUILD + "def reference(data):\n    return {'a': 1.0}\n").reference(self.DATA)
        assert_one_sentence(error, "script.py", "reference() returned an object of type dict", "Series or DataFrame")

    def test_text(self, load):
        text = "import pandas as pd\ndef reference(data):\n    return pd.Series({'a': '1.0'}, name='R')\n"
        with pytest.raises(ScriptError) as error:
            load(BUILD + text).reference(self.DATA)
        assert_one_sentence(error, "script.py", "reference()", "'R'", "not all numbers")


class TestReadTable:
    def test_csv_numbers_come_back_to_the_last_bit(self, tmp_path):
        frame = pd.DataFrame({"x": np.random.default_rng(1).normal(size=1000) * 1e-7})
        frame.to_csv(tmp_path / "data.csv", index=False)
        assert (read_table(tmp_path / "data.csv")["x"] == frame["x"]).all()

    def test_parquet_in_the_order_asked_for(self, tmp_path):
        frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3, 4], "z": [0, 0]}, index=[7, 9])
        frame.to_parquet(tmp_path / "data.PARQUET")
        expected = frame[["y", "x"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(read_table(tmp_path / "data.PARQUET", ["y", "x"]), expected)

    def test_parquet_column_kept_as_index(self, tmp_path):
        pd.DataFrame({"x": [1.0], "y": [3]}).set_index("x").to_parquet(tmp_path / "data.parquet")
        assert read_table(tmp_path / "data.parquet", ["x"])["x"].tolist() == [1.0]

    def test_missing(self, tmp_path):
        with pytest.raises(DataError) as error:
            read_table(tmp_path / "data.csv", ["x"])
        assert_one_sentence(error, tmp_path / "data.csv", "does not exist", "check the path")

    def test_folder(self, tmp_path):
        with pytest.raises(DataError) as error:
            read_table(tmp_path, ["x"])
        assert_one_sentence(error, tmp_path, "is a folder")

    @pytest.mark.parametrize(("name", "found"), [("data.xlsx", "ends in '.xlsx'"), ("data", "has no extension")])
    def test_other_format(self, write, name, found):
        with pytest.raises(DataError) as error:
            read_table(write("x\n1\n", name), ["x"])
        assert_one_sentence(error, name, found, ".csv or .parquet")

    @pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
    def test_no_bytes(self, write, name):
        with pytest.raises(DataError) as error:
            read_table(write("", name), ["x"])
        assert_one_sentence(error, name, "is empty", "header")

    def test_no_rows(self, write):
        with pytest.raises(DataError) as error:
            read_table(write("x,y\n"), ["x"])
        assert_one_sentence(error, "data.csv", "has no rows")

    @pytest.mark.parametrize(
        ("text", "name", "reason"),
        [
            ("x,y\n1,2\n1,2,3\n", "data.csv", "line 3"),
            ("\n\n", "data.csv", "No columns"),
            ("x,y\n1,2\n", "data.parquet", "Parquet"),
        ],
    )
    def test_unreadable(self, write, text, name, reason):
        with pytest.raises(DataError) as error:
            read_table(write(text, name), ["x"])
        assert_one_sentence(error, name, "cannot be read as", reason, "re-save")
        assert error.value.__cause__ is not None

    def test_not_utf8(self, tmp_path):
        (tmp_path / "data.csv").write_bytes(b"x,name\n1,caf\xe9\n")
        with pytest.raises(DataError) as error:
            read_table(tmp_path / "data.csv", ["x"])
        assert_one_sentence(error, "data.csv", "cannot be read as CSV", "utf-8")

    @pytest.mark.parametrize("text", ["x,y\n1,2,3\n4,5,6\n", "x,y\n0,2,3\n1,5,6\n"])
    def test_rows_longer_than_the_header_do_not_shift_the_columns(self, write, text):
        # pandas takes the first field as a row name: x would hold the second field of each row.
        with pytest.raises(DataError) as error:
            read_table(write(text), ["x"])
        assert_one_sentence(error, "data.csv", "more fields than the header")

    def test_missing_columns_are_all_named(self, write):
        with pytest.raises(DataError) as error:
            read_table(write("x,Y\n1,2\n"), ["x", "y", "group"])
        assert_one_sentence(error, "data.csv", "no column 'y', 'group'", "it has 'x', 'Y'", "rename")


class TestCheckData:
    def test_good(self):
        check_data(pd.DataFrame({"x": [1.0, 2.0], "n": [1, 2], "g": ["u", "v"], "b": [True, False]}), "data.csv")

    def test_no_rows(self):
        with pytest.raises(DataError) as error:
            check_data(pd.DataFrame({"x": []}), "data.csv")
        assert_one_sentence(error, "data.csv", "no rows")

    def test_missing_values_are_counted_and_located(self):
        x = np.arange(10.0)
        x[[1, 3, 4, 6, 7, 9]] = np.nan
        with pytest.raises(DataError) as error:
            check_data(pd.DataFrame({"y": 1.0, "x": x}), "data.csv")
        assert_one_sentence(error, "data.csv: column 'x'", "6 missing values (rows 2, 4, 5, 7, 8, ...)")

    @pytest.mark.parametrize("column", [["u", None], pd.array([1, None], dtype="Int64"), [None, None]])
    def test_missing_values_of_every_type(self, column):
        with pytest.raises(DataError, match="missing value"):
            check_data(pd.DataFrame({"x": column}), "data.csv")

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinite(self, value):
        with pytest.raises(DataError) as error:
            check_data(pd.DataFrame({"x": [1.0, value, value]}), "data.csv")
        assert_one_sentence(error, "data.csv: column 'x'", "2 infinite values (rows 2, 3)")

    def test_column_twice(self):
        with pytest.raises(DataError) as error:
            check_data(pd.DataFrame([[1, 2]], columns=["x", "x"]), "data.csv")
        assert_one_sentence(error, "data.csv", "more than one column named 'x'")

    @pytest.mark.parametrize(
        ("column", "row", "value"),
        [(["1", "2,5", "3"], 2, "'2,5'"), ([1.0, "n/a?", "x"], 2, "'n/a?'"), (["1", "2"], 1, "'1'")],
    )
    def test_text_where_the_script_has_numbers(self, column, row, value):
        with pytest.raises(DataError) as error:
            check_data(pd.DataFrame({"x": column}), "data.csv", own=pd.DataFrame({"x": [1.0]}))
        assert_one_sentence(error, "data.csv: column 'x'", "must hold numbers", f"row {row} has {value}")

    def test_numbers_where_the_script_has_text_are_names(self):
        check_data(pd.DataFrame({"group": [1, 2]}), "data.csv", own=pd.DataFrame({"group": ["u", "v"]}))

    def test_missing_values_only_where_the_script_has_them(self):
        own = pd.DataFrame({"x": [1.0, np.nan], "y": [1.0, 2.0]})
        check_data(pd.DataFrame({"x": [np.nan, 1.0], "y": [1.0, 2.0]}), "data.csv", own=own)
        with pytest.raises(DataError, match="column 'y' has 1 missing value"):
            check_data(pd.DataFrame({"x": [np.nan, 1.0], "y": [np.nan, 2.0]}), "data.csv", own=own)
        with pytest.raises(DataError, match="column 'x' has 1 infinite value"):
            check_data(pd.DataFrame({"x": [np.nan, np.inf], "y": [1.0, 2.0]}), "data.csv", own=own)


class TestReadData:
    def test_takes_the_columns_of_the_script_s_own_data(self, load, write):
        data = load(GOOD).read_data(write("extra,group,x\n0,u,2\n0,v,3\n0,v,4\n"))
        assert data.columns.tolist() == ["x", "group"]
        assert data["x"].tolist() == [2, 3, 4]

    def test_names_a_missing_column(self, load, write):
        with pytest.raises(DataError, match="no column 'group'"):
            load(GOOD).read_data(write("x\n1\n"))

    def test_names_text_among_numbers(self, load, write):
        with pytest.raises(DataError, match="column 'x' must hold numbers, but row 2 has 'two'"):
            load(GOOD).read_data(write("x,group\n1,u\ntwo,u\n"))

    def test_takes_everything_where_the_script_has_no_data(self, load, write):
        script = load(BUILD)
        assert script.read_data(write("x,y\n1,2\n")).columns.tolist() == ["x", "y"]
        with pytest.raises(DataError, match="column 'y' has 1 missing value"):
            script.read_data(write("x,y\n1,\n"))
