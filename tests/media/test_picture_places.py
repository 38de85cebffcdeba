"""Names of pictures come from a stranger's file: none leads out of the folder, and no address is fetched."""

import pytest

from claimsieve.media.places import Place, PlaceError, located


@pytest.fixture
def folder(tmp_path):
    """claims/ with a picture and a folder of pictures, and a secret beside it."""
    (tmp_path / "claims" / "photos").mkdir(parents=True)
    (tmp_path / "claims" / "a.png").write_bytes(b"a")
    (tmp_path / "claims" / "photos" / "b.png").write_bytes(b"b")
    (tmp_path / "secret.png").write_bytes(b"s")
    return tmp_path


@pytest.mark.parametrize("name", ["a.png", "photos/b.png", "photos/../a.png", "./photos//b.png"])
def test_files_below_the_claims_are_found(folder, name):
    assert located(name, Place(folder / "claims")).read_bytes() in (b"a", b"b")


def test_an_absolute_name_within_is_found(folder):
    assert located(str(folder / "claims" / "a.png"), Place(folder / "claims")).read_bytes() == b"a"


@pytest.mark.parametrize("name", ["../secret.png", "photos/../../secret.png", "/etc/passwd", "../nothing.png", ".."])
def test_ways_out_are_refused_whether_or_not_something_is_there(folder, name):
    with pytest.raises(PlaceError, match="a way out of it; --media-root") as found:
        located(name, Place(folder / "claims"))
    assert found.value.reason == "picture_outside"


def test_links_out_are_refused_and_links_within_are_followed(folder):
    claims = folder / "claims"
    (claims / "out.png").symlink_to(folder / "secret.png")
    (claims / "outer").symlink_to(folder)
    (claims / "in.png").symlink_to(claims / "a.png")
    (claims / "circle.png").symlink_to(claims / "circle.png")
    assert located("in.png", Place(claims)) == claims.resolve() / "a.png"
    for name in ("out.png", "outer/secret.png"):
        with pytest.raises(PlaceError) as found:
            located(name, Place(claims))
        assert found.value.reason == "picture_outside"
    with pytest.raises(PlaceError) as found:
        located("circle.png", Place(claims))
    assert found.value.reason == "picture_missing"


def test_a_root_widens_where_names_may_lead_and_no_further(folder):
    wide = Place(folder / "claims", folder)
    assert located("../secret.png", wide).read_bytes() == b"s"
    assert located(str(folder / "secret.png"), wide).read_bytes() == b"s"
    assert located("secret.png", wide).read_bytes() == b"s"  # taken from the root where the claims have none
    assert located("a.png", wide).read_bytes() == b"a"
    with pytest.raises(PlaceError, match="--media-root does not hold it"):
        located("../../x.png", Place(folder / "claims", folder))


def test_a_root_elsewhere_holds_the_pictures_and_the_claims_folder_none(folder):
    elsewhere = Place(folder / "claims", folder / "claims" / "photos")
    assert located("b.png", elsewhere).read_bytes() == b"b"
    with pytest.raises(PlaceError):
        located("a.png", elsewhere)


@pytest.mark.parametrize(
    "name", ["https://example.org/a.png", "http://127.0.0.1/a.png", "file:///etc/passwd", "data:image/png;base64,AAAA"]
)
def test_addresses_are_never_fetched(folder, name):
    with pytest.raises(PlaceError, match="nothing is fetched") as found:
        located(name, Place(folder / "claims", folder))
    assert found.value.reason == "picture_address"


@pytest.mark.parametrize("name", ["", "a\0.png", "x" * 5_000, "n" * 300, "none.png", "photos"])
def test_what_is_no_file_is_missing(folder, name):
    with pytest.raises(PlaceError) as found:
        located(name, Place(folder / "claims"))
    assert found.value.reason == "picture_missing"
