"""Lines and words: what fits, what is dropped first, and that nothing from the cluster acts on the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from mleconsole.app.lines import Piece, fit
from mleconsole.app.words import ago, cut

pieces = st.lists(
    st.builds(Piece, st.text("abc é漢", min_size=0, max_size=20), st.integers(0, 5)), min_size=0, max_size=6
)


@given(pieces, pieces, st.integers(0, 120))
def test_a_line_is_never_wider_than_its_width(left, right, width):
    fitted = fit(left, right, width)
    used = sum(piece.width for piece in (*fitted.left, *fitted.right))
    gaps = 2 * max(0, len(fitted.left) - 1) + 2 * max(0, len(fitted.right) - 1)
    assert used + gaps + fitted.between <= max(width, 0)


def test_the_least_important_go_first_and_the_rightmost_of_equals():
    left = [Piece("cluster", 0), Piece("aaaa", 2), Piece("bbbb", 2)]
    assert [piece.text for piece in fit(left, [Piece("clock", 1)], 21).left] == ["cluster", "aaaa"]
    assert [piece.text for piece in fit(left, [Piece("clock", 1)], 15).left] == ["cluster"]


def test_the_last_one_is_cut_in_the_middle():
    assert fit([Piece("a-very-long-name", 0)], [], 9).left[0].text == "a-ver…ame"
    assert cut("train-llama-70b", 9) == "train…70b"


def test_ages():
    assert [ago(s) for s in (-1, 4, 725, 3 * 3600 + 5, 5 * 86400)] == ["0s", "4s", "12m", "3h00", "5d"]
