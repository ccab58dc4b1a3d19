package data

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/similar"
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
	worst := max(2, len(e.ID)/4) // more changes than this would be another word
	near := similar.Among(strings.ToLower(e.ID), worst)
	for _, id := range e.among.IDs() {
		if number != "" && pictureNumber(id) == number {
			if same = append(same, id); len(same) == shown {
				return same
			}
			continue
		}
		near.Consider(strings.ToLower(id), id)
	}
	if same != nil {
		return same
	}
	return near.Nearest(shown)
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
