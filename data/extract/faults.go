package extract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A FaultFile keeps faults, a JSON object on each line: id, path and error. It is that of one run; pictures that failed in an earlier one are tried again.
type FaultFile struct {
	path string
	file *os.File
}

// CreateFaults begins a file of faults. Unless it is wanted even if nothing comes, it is made with the first fault, and one that an earlier run left is
// removed.
func CreateFaults(path string, wanted bool) (*FaultFile, error) {
	f := &FaultFile{path: path}
	if wanted {
		return f, f.create()
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return f, nil
}

func (f *FaultFile) create() (err error) {
	f.file, err = os.Create(f.path)
	return err
}

// Add writes a line; it is on its way to the disk when Add returns.
func (f *FaultFile) Add(fault Fault) error {
	if f.file == nil {
		if err := f.create(); err != nil {
			return fmt.Errorf("the report of bad pictures: %w", err)
		}
	}
	line, err := json.Marshal(struct {
		ID    string `json:"id"`
		Path  string `json:"path"`
		Error string `json:"error"`
	}{fault.ID, fault.Path, fault.Err.Error()})
	if err != nil {
		return err
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the report of bad pictures: %w", err)
	}
	return nil
}

// Close closes the file, if there is one.
func (f *FaultFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
