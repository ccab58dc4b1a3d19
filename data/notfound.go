package data

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ErrNotFound is what errors.Is finds in every error about an id that is not there.
var ErrNotFound = errors.New("image id not found")

// A NotFoundError says that a file has no regions for an image id, and which ids it has
// that may be meant.
type NotFoundError struct {
	Path string // the file
	ID   string // what was asked for

	among Source
}

// Error names the nearest ids.
func (e *NotFoundError) Error() string {
	n := 0
	if e.among != nil {
		n = e.among.Len()
	}
	text := fmt.Sprintf("%s: image id %q not found among %d", e.Path, e.ID, n)
	if near := e.Near(); len(near) > 0 {
		for i, id := range near {
			near[i] = plain(id)
		}
		text += ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return text
}

// Is makes errors.Is(err, ErrNotFound) true.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// Near are at most three ids that may be meant: those with the same picture number, in
// any of COCO's spellings (132417, 000000132417.jpg, COCO_train2014_000000132417), else
// those that differ by the fewest letters. It looks through all ids, each time.
func (e *NotFoundError) Near() []string {
	if e.among == nil {
		return nil
	}
	const shown = 3
	var same []string
	number := pictureNumber(e.ID)
	type candidate struct {
		id       string
		distance int
	}
	var similar []candidate
	worst := max(2, len(e.ID)/4) // more changes than this would be another word
	for _, id := range e.among.IDs() {
		if number != "" && pictureNumber(id) == number {
			if same = append(same, id); len(same) == shown {
				return same
			}
			continue
		}
		if d := distance(strings.ToLower(e.ID), strings.ToLower(id), worst); d <= worst {
			similar = append(similar, candidate{id, d})
		}
	}
	if same != nil {
		return same
	}
	slices.SortStableFunc(similar, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, c := range similar[:min(len(similar), shown)] {
		out = append(out, c.id)
	}
	return out
}

// plain shows an id in a message: as it is, or quoted if it could upset a terminal.
func plain(id string) string {
	if quoted := strconv.Quote(id); len(quoted) != len(id)+2 {
		return quoted
	}
	return id
}

// pictureNumber is the number at the end of a picture's name, without directory, file
// type and leading zeros; "" if it is too short to mean one picture.
func pictureNumber(id string) string {
	id = path.Base(strings.ReplaceAll(id, "\\", "/"))
	id = strings.TrimSuffix(id, path.Ext(id))
	digits := strings.TrimLeft(id[len(strings.TrimRight(id, "0123456789")):], "0")
	if len(digits) < 3 {
		return ""
	}
	return digits
}

// distance is how many bytes must be added, removed or changed to make b of a
// (Levenshtein's distance), or any number above limit if it is above limit.
func distance(a, b string, limit int) int {
	const longest = 200
	if len(a) > longest || len(b) > longest || len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1) // row[j]: from a[:i] to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
			best = min(best, row[j+1])
		}
		if best > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
