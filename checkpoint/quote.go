package checkpoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// quote shows a name from a file in a message: plain if it is an ordinary one; quoted, and
// cut if long, if it could upset a terminal or the sentence around it.
func quote(name string) string {
	const longest = 200
	if len(name) > longest {
		return strconv.Quote(name[:longest]) + "…"
	}
	if quoted := strconv.Quote(name); name == "" || len(quoted) != len(name)+2 || strings.Contains(name, " ") {
		return quoted
	}
	return name
}

// join is errors.Join that stays readable when a file is wrong in a thousand places.
func join(errs []error) error { return joinUpTo(20, errs) }

func joinUpTo(shown int, errs []error) error {
	if rest := len(errs) - shown; rest > 1 {
		errs = append(errs[:shown:shown], fmt.Errorf("and %d more", rest))
	}
	return errors.Join(errs...)
}
