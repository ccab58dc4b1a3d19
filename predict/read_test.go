package predict

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert/data/questions"
)

// TestInBatches: pictures are kept whole where they can be, in the order in which they come first.
func TestInBatches(t *testing.T) {
	var qs []questions.Question
	for _, picture := range "abacbaddddddd" { // three, two, one and seven questions
		qs = append(qs, questions.Question{Image: string(picture)})
	}
	qs[2].Second = "z" // another pair
	all := make([]int, len(qs))
	for i := range all {
		all[i] = i
	}
	for n, want := range map[int]string{
		1:   "[[0] [5] [1] [4] [2] [3] [6] [7] [8] [9] [10] [11] [12]]",
		3:   "[[0 5] [1 4 2] [3 6 7] [8 9 10] [11 12]]",
		4:   "[[0 5 1 4] [2 3 6 7] [8 9 10 11] [12]]",
		7:   "[[0 5 1 4 2 3] [6 7 8 9 10 11 12]]",
		100: "[[0 5 1 4 2 3 6 7 8 9 10 11 12]]",
	} {
		if got := fmt.Sprint(slices.Collect(inBatches(qs, all, n))); got != want {
			t.Errorf("batches of %d: %s, want %s", n, got, want)
		}
	}
	if got := fmt.Sprint(slices.Collect(inBatches(qs, []int{2, 4, 5}, 2))); got != "[[2 4] [5]]" {
		t.Errorf("some of them: %s", got)
	}
	for batch := range inBatches(qs, all, 1) { // whoever wants no more gets no more
		if batch[0] == 5 {
			break
		}
	}
}
