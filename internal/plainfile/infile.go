package plainfile

import (
	"errors"
	"fmt"
)

// InFile names the file on each line of an error that joins several.
func InFile(path string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, InFile(path, e))
	}
	return errors.Join(errs...)
}
