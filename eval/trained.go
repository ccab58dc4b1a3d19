package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// TrainedName is the file of a model directory that says what the model has learned from.
const TrainedName = "trained.json"

// maxTrained bounds that file: a split takes up to 100 KB.
const maxTrained = 64 << 20

// ReadTrained reads what a model has learned from, a JSON list as [WriteTrained] writes it. The error satisfies errors.Is(err, fs.ErrNotExist) if there is
// no such file; else it names the file and the entry, from 0.
func ReadTrained(path string) ([]Trained, error) {
	content, err := plainfile.Read(path, maxTrained)
	if err != nil {
		return nil, err
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(content, &entries); err != nil {
		return nil, fmt.Errorf("%s: want a JSON list of splits: %w", path, jsonerror.Explain(err))
	}
	trained := make([]Trained, len(entries))
	for i, entry := range entries {
		err := json.Unmarshal(entry, &trained[i])
		switch t := trained[i]; {
		case err != nil:
			err = jsonerror.Explain(err)
		case t.DataSet == "" || t.Name == "":
			err = errors.New("want data_set and split, each with a name")
		case t.Examples < 0:
			err = fmt.Errorf("examples: found %d, want 0 or more", t.Examples)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", path, i, err)
		}
	}
	return trained, nil
}

// WriteTrained writes what a model has learned from, one split a line. The file appears when it is complete.
func WriteTrained(path string, trained []Trained) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		separator := "["
		for _, t := range trained {
			line, err := json.Marshal(t)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s\n%s", separator, line); err != nil {
				return err
			}
			separator = ","
		}
		if len(trained) == 0 {
			_, err := io.WriteString(w, "[]\n")
			return err
		}
		_, err := io.WriteString(w, "\n]\n")
		return err
	})
}

// SplitOf guesses from a file's name which split of a data set its questions are: of v2_OpenEnded_mscoco_val2014_questions.json val2014, of
// testdev_balanced_questions.json testdev, of valid.json valid. Another name is the split's own; one that only says which data set it is has its
// directory's before it: of minival/vqa.json "minival vqa".
func SplitOf(dataSet, path string) Split {
	name := strings.ToLower(filepath.Base(path))
	for ext := filepath.Ext(name); ext == ".zip" || ext == ".json" || ext == ".jsonl" || ext == ".csv"; ext = filepath.Ext(name) {
		name = strings.TrimSuffix(name, ext)
	}
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' || r == ' ' }) {
		split := Split{dataSet, word}
		if _, ok := known[officialName(split)]; ok {
			return split
		}
	}
	if name == dataSet {
		if dir := filepath.Base(filepath.Dir(path)); dir != "." && dir != string(filepath.Separator) {
			name = dir + " " + name
		}
	}
	return Split{dataSet, name}
}
