package data_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/blocks"
)

// closing notes that it was closed.
type closing struct {
	blocks.Source
	closed *int
	err    error
}

func (c closing) Close() error { *c.closed++; return c.err }

// TestJoin looks things up in three sources as if they were one.
func TestJoin(t *testing.T) {
	closed, failure := 0, errors.New("the disk is gone")
	part := func(prefix string, n int, err error) data.Source {
		return closing{blocks.Scenes(1, prefix, n), &closed, err}
	}
	a, b, c := part("a", 2, nil), part("b", 3, failure), part("c", 1, nil)
	all, err := data.Join(a, b, c)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a0", "a1", "b0", "b1", "b2", "c0"}
	if all.Len() != 6 || !slices.Equal(all.IDs(), want) || all.Path() != "scenes, scenes, scenes" {
		t.Errorf("%d images: %v in %s", all.Len(), all.IDs(), all.Path())
	}
	for _, id := range want {
		from := map[byte]data.Source{'a': a, 'b': b, 'c': c}[id[0]]
		wanted, _ := from.Get(id)
		if got, err := all.Get(id); err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	var visited []string
	for record, err := range all.All() {
		if err != nil {
			t.Fatal(err)
		}
		if visited = append(visited, record.ID); record.ID == "b1" {
			break
		}
	}
	if !slices.Equal(visited, want[:4]) {
		t.Errorf("visited %v", visited)
	}
	if _, err := all.Get("b7"); !errors.Is(err, data.ErrNotFound) || !strings.Contains(err.Error(), "among 6, did you mean b0") {
		t.Errorf("got %v", err)
	}
	if err := all.Close(); !errors.Is(err, failure) || closed != 3 {
		t.Errorf("closed %d of 3: %v", closed, err)
	}
	if _, err := data.Join(a, part("b", 1, nil), b); err == nil || !strings.Contains(err.Error(), `image "b0" is in scenes and in scenes`) {
		t.Errorf("got %v", err)
	}
	if one, err := data.Join(a); err != nil || !reflect.DeepEqual(one, a) {
		t.Errorf("of one source: %v, %v", one, err)
	}
}
