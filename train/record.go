package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// RecordName is the name of a run's record.
const RecordName = "run.json"

// A Record says what a run is: all that decides its result, and where it was made.
type Record struct {
	Task     string            `json:"task"`     // what is learned
	Settings map[string]string `json:"settings"` // every option that decides the result
	Files    map[string]string `json:"files"`    // options that say where something is
	Data     []DataFile        `json:"data"`
	Versions map[string]string `json:"versions"` // of the program and what it rests on
	Engine   string            `json:"engine"`
	Machine  string            `json:"machine"`
	Started  time.Time         `json:"started"`
	Resumed  []time.Time       `json:"resumed,omitempty"`
}

// A DataFile is a file that was read, and its hash.
type DataFile struct {
	Role   string `json:"role"` // what it was read for
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Part says that only the ends of a very large file were hashed.
	Part bool `json:"part,omitempty"`
}

// maxRecord bounds a run's record; its settings have a few kilobytes.
const maxRecord = 4 << 20

// ReadRecord reads the record of the run in a directory. The error is os.ErrNotExist's kind if there is none.
func ReadRecord(dir string) (*Record, error) {
	path := filepath.Join(dir, RecordName)
	content, err := plainfile.Read(path, maxRecord)
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, jsonerror.Explain(err))
	}
	return &r, nil
}

// Write writes the record into a run's directory.
func (r *Record) Write(dir string) error {
	return atomicfile.Write(filepath.Join(dir, RecordName), 0o644, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
}

// Differs says what a run that is to go on has been told otherwise than the one that was begun; nil if nothing.
func (r *Record) Differs(begun *Record) error {
	differences := r.differences(begun)
	if differences == nil {
		return nil
	}
	return fmt.Errorf("the run was begun otherwise: %s; give it what it was begun with, or begin another", strings.Join(differences, "; "))
}

// SameOnAll says which rank was started otherwise than rank 0, and in what; nil if none. All ranks call it, and have the same answer.
func (r *Record) SameOnAll(ranks Reducer) error {
	if orAlone(ranks).Size() == 1 {
		return nil
	}
	all, err := Confer(ranks, *r, nil)
	if err != nil {
		return err
	}
	var errs []error
	for rank := range all {
		differences := all[rank].differences(&all[0])
		for _, name := range slices.Sorted(maps.Keys(all[0].Versions)) {
			if was, is := all[0].Versions[name], all[rank].Versions[name]; was != is {
				differences = append(differences, fmt.Sprintf("%s was %s, is %s", name, was, orNothing(is)))
			}
		}
		if differences != nil {
			errs = append(errs, fmt.Errorf("rank %d was started otherwise than rank 0: %s", rank, strings.Join(differences, "; ")))
		}
	}
	return errors.Join(errs...)
}

func (r *Record) differences(begun *Record) (differences []string) {
	if r.Task != begun.Task {
		differences = append(differences, fmt.Sprintf("it learned %s, not %s", begun.Task, r.Task))
	}
	all := maps.Clone(begun.Settings)
	maps.Copy(all, r.Settings)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if was, is := begun.Settings[name], r.Settings[name]; was != is {
			differences = append(differences, fmt.Sprintf("--%s was %s, is %s", name, orNothing(was), orNothing(is)))
		}
	}
	if len(r.Data) != len(begun.Data) {
		differences = append(differences, fmt.Sprintf("it read %d files, not %d", len(begun.Data), len(r.Data)))
	} else {
		for i, f := range begun.Data { // a file may have moved
			if now := r.Data[i]; now.Role != f.Role || now.SHA256 != f.SHA256 {
				differences = append(differences, fmt.Sprintf("the %s data in %s is not what %s was", now.Role, now.Path, f.Path))
			}
		}
	}
	return differences
}

func orNothing(s string) string {
	if s == "" {
		return "not given"
	}
	return s
}

// HashWords hashes a list of texts that a run was given, wherever they were read.
func HashWords(role, path string, words []string) DataFile {
	text, _ := json.Marshal(words) // no text cannot be written
	sum := sha256.Sum256(text)
	return DataFile{Role: role, Path: path, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
}

// hashWhole is up to which size a file is hashed as a whole; of a larger one the first and last so many bytes are.
const (
	hashWhole = 1 << 30
	hashEnds  = 1 << 20
)

// HashData hashes a file that a run reads; of a directory its manifest.json, which has the hashes of what is in it.
func HashData(role, path string) (DataFile, error) {
	f := DataFile{Role: role, Path: path}
	info, err := os.Stat(path)
	if err != nil {
		return f, err
	}
	if info.IsDir() {
		path = filepath.Join(path, "manifest.json")
	}
	file, err := plainfile.Open(path)
	if err != nil {
		return f, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return f, err
	}
	f.Bytes = info.Size()
	var content io.Reader = file
	if f.Bytes > hashWhole {
		f.Part = true
		content = io.MultiReader(io.NewSectionReader(file, 0, hashEnds), io.NewSectionReader(file, f.Bytes-hashEnds, hashEnds),
			strings.NewReader(fmt.Sprint(f.Bytes)))
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return f, err
	}
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return f, nil
}
