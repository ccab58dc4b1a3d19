package padding

import (
	"testing"

	"github.com/go-lxmert/lxmert/backend"
)

// TestFew: neither of the engines that are always there compiles long.
func TestFew(t *testing.T) {
	for _, name := range []string{backend.Default, backend.Portable} {
		engine, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if Few(engine) {
			t.Errorf("%s wants few shapes", name)
		}
		engine.Finalize()
	}
}

func TestFewSizes(t *testing.T) {
	for _, c := range []struct{ n, most, tokens, regions, rows int }{
		{1, 512, 8, 12, 1}, {8, 512, 8, 12, 8}, {9, 512, 12, 12, 16}, {20, 512, 20, 24, 32}, {21, 512, 24, 24, 32}, {21, 22, 22, 24, 32}, {36, 512, 64, 36, 64},
		{64, 512, 64, 72, 64}, {65, 512, 128, 72, 128}, {65, 100, 100, 72, 128}, {101, 100, 101, 200, 128}, {500, 512, 512, 800, 512}, {500, 0, 512, 800, 512},
	} {
		if tokens, regions, rows := FewTokens(c.n, c.most), FewRegions(c.n), FewRows(c.n); tokens != c.tokens || regions != c.regions || rows != c.rows {
			t.Errorf("%d, at most %d tokens: found %d tokens, %d regions, %d rows, want %d, %d, %d", c.n, c.most, tokens, regions, rows, c.tokens, c.regions, c.rows)
		}
	}
	for n := range 200 {
		if FewTokens(n, 512) < n || FewRegions(n) < n || FewRows(n) < n {
			t.Errorf("%d is rounded down", n)
		}
	}
}
