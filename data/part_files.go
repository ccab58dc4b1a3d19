package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// PartPath is where a part of a file is kept until all parts are put together: PATH.part-00003-of-00008. For the zero Part it is path.
func PartPath(path string, part Part) string {
	if part.IsZero() {
		return path
	}
	return filepath.Clean(path) + "." + part.FileSuffix()
}

// PartsBeside are the parts of a file that are there, by PartPath's names, sorted. The error says that they are of several divisions.
func PartsBeside(path string) ([]Part, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, e := range entries {
		if suffix, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+"."); ok {
			if p, ok := ParsePartSuffix(suffix); ok {
				parts = append(parts, p)
			}
		}
	}
	slices.SortFunc(parts, comparePart)
	return parts, oneDivision(path, parts)
}

// oneDivision refuses sorted parts of which some are of other divisions.
func oneDivision(path string, parts []Part) error {
	for _, p := range parts {
		if p.Of != parts[0].Of {
			return fmt.Errorf("%s: found part %v and part %v, want those of one division: move the others elsewhere", path, parts[0], p)
		}
	}
	return nil
}

// FitsBeside says where a file has parts of another division than this part's.
func (p Part) FitsBeside(path string) error {
	parts, err := PartsBeside(path)
	if err == nil && len(parts) > 0 && parts[0].Of != p.Of {
		err = fmt.Errorf("%s: found a file of %d parts, want part %v: the number of parts must stay; take i/%d, or another name", path, parts[0].Of, p, parts[0].Of)
	}
	return err
}

// MissingBeside is an [*UnfinishedError] where parts of a file are not there.
func MissingBeside(path string, n int) error {
	unfinished := &UnfinishedError{Path: path, Of: n}
	for i := range n {
		if _, err := os.Stat(PartPath(path, Part{i, n})); os.IsNotExist(err) {
			unfinished.Missing = append(unfinished.Missing, i)
		} else if err != nil {
			return err
		}
	}
	if unfinished.Missing != nil {
		return unfinished
	}
	return nil
}
