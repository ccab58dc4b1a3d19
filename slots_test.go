package lxmert

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/data"
)

// TestCancelledKeepsItsSlot: a caller that gives up gets its error at once, but the pass it leaves behind counts until it
// is done, so that no more run than were allowed.
func TestCancelledKeepsItsSlot(t *testing.T) {
	m, err := Open("examples/tiny", WithBackendName("go:ops_sequential")) // which cannot stop in the middle of a pass
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tsv, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer tsv.Close()
	regions, err := tsv.Get("drawn-1")
	if err != nil {
		t.Fatal(err)
	}
	many := make([]Query, 2000) // a pass of some tenths of a second
	for i := range many {
		many[i] = Query{regions, "Is there a man standing next to the big red bus on the street near the tree and the dog?"}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(m.slots) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := m.AskBatch(ctx, many); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if len(m.slots) != 1 {
		t.Error("the pass that was left behind gave back its slot before it was done")
	}
	if _, err := m.Ask(t.Context(), regions, "Why?"); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	m.slots <- struct{}{} // as a pass does
	short, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := m.Ask(short, regions, "Why?"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a question beyond the bound: %v", err)
	}
	<-m.slots
}
