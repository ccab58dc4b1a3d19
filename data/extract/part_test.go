package extract

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
)

// TestFindParts: wherever pictures come from, each is in the part of its id; what has no id is in one part, too.
func TestFindParts(t *testing.T) {
	const n = 3
	names := make([]string, 40)
	var entries []archived
	for i := range names {
		names[i] = fmt.Sprintf("d%d/%03d.png", i%4, i)
		entries = append(entries, archived{name: names[i], content: drawing(1)})
	}
	dir, other := tree(t, names...), t.TempDir()
	save(t, filepath.Join(other, "x.tar"), tarOf(t, entries...))
	save(t, filepath.Join(other, "x.zip"), zipOf(t, entries...))
	save(t, filepath.Join(other, "list"), []byte(strings.Join(names, "\n")+"\n\xff.png\n"+names[0]+"\n"))
	for source, o := range map[string]FindOptions{
		dir: {Recursive: true}, filepath.Join(dir, "**", "*.png"): {PathIDs: true}, filepath.Join(other, "x.tar"): {PathIDs: true}, filepath.Join(other, "x.zip"): {},
		"": {Lists: []string{filepath.Join(other, "list")}, PathIDs: true},
	} {
		var paths []string
		if source != "" {
			paths = []string{source}
		}
		want := ids(t, find(t, o, paths...))
		var got []string
		counted := 0
		for i := range n {
			o.Part = data.Part{Index: i, Of: n}
			p := find(t, o, paths...)
			known, all := p.Len()
			counted += known
			own := ids(t, p)
			if all && known != len(own) {
				t.Errorf("%s: part %d has %d pictures, want %d", source, i, len(own), known)
			}
			for _, id := range own {
				if id[0] != '!' && data.PartOf(id, n) != i {
					t.Errorf("%s: %s is in part %d", source, id, i)
				}
			}
			if !slices.IsSortedFunc(own, func(a, b string) int { return slices.Index(want, a) - slices.Index(want, b) }) {
				t.Errorf("%s: part %d has another order", source, i)
			}
			got = append(got, own...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: in parts %q, want %q", source, got, want)
		}
	}
	_, err := Find([]string{dir, filepath.Join(dir, "d0", "000.png")}, FindOptions{Recursive: true, Part: data.Part{Index: 1 - data.PartOf("000", 2), Of: 2}})
	says(t, err, "its id would be 000") // also who would not look at either
}
