import pytest

from claimsieve.data.files import read_rows


@pytest.fixture
def rows_in(tmp_path):
    """Write a file and read its rows."""

    def read(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_rows(str(path)))

    return read
