package predict

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// Part gives the indices of the questions of a part: those whose picture, or whose first of two, the part has.
func Part(qs []questions.Question, part data.Part) []int {
	indices := []int{}
	for i := range qs {
		if part.Has(qs[i].Image) {
			indices = append(indices, i)
		}
	}
	return indices
}

// A PartHeader is the first line of a part of a file of predictions, JSON: of what it is a part. Parts belong together if all but Part is equal.
type PartHeader struct {
	Format    string         `json:"format"`  // "lxmert predictions part"
	Version   int            `json:"version"` // 1
	Part      int            `json:"part"`    // from 0
	Parts     int            `json:"parts"`
	Kind      questions.Kind `json:"kind"`
	Questions int            `json:"questions"`        // in all parts
	SHA256    string         `json:"questions_sha256"` // see QuestionsSHA256
	By        string         `json:"by"`               // what they were answered by, in the caller's words
}

// A PartRecord is each line after it: the answer to a question.
type PartRecord struct {
	Index       int     `json:"index"` // of the question in the whole file, from 0, those left out that cannot be read
	ID          string  `json:"id"`
	Answer      string  `json:"answer,omitempty"`
	Probability float32 `json:"probability,omitempty"`
	Skipped     bool    `json:"skipped,omitempty"` // it could not be answered
}

const (
	partFormat  = "lxmert predictions part"
	maxPartLine = 1 << 20
)

// QuestionsSHA256 is a hash of what is asked: the questions' ids, pictures and sentences, in their order.
func QuestionsSHA256(qs []questions.Question) string {
	h := sha256.New()
	var text []byte
	for i := range qs {
		text = text[:0]
		for _, s := range []string{qs[i].ID.String(), qs[i].Image, qs[i].Second, qs[i].Sentence} {
			text = append(binary.LittleEndian.AppendUint64(text, uint64(len(s))), s...)
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// WritePart writes a part of the predictions that are to be at path, beside it (data.PartPath); it appears when it is whole. Format and Version of the
// header are not looked at.
func WritePart(path string, header PartHeader, records []PartRecord) error {
	header.Format, header.Version = partFormat, 1
	part := data.Part{Index: header.Part, Of: header.Parts}
	return atomicfile.Write(data.PartPath(path, part), 0o644, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		err := lines.Encode(header)
		for i := range records {
			err = errors.Join(err, lines.Encode(records[i]))
		}
		return err
	})
}

// readPart reads a part of the predictions that are to be at path.
func readPart(path string, part data.Part) (PartHeader, []PartRecord, error) {
	name := data.PartPath(path, part)
	file, err := plainfile.Open(name)
	if err != nil {
		return PartHeader{}, nil, err
	}
	defer file.Close()
	header, records, err := parsePart(file)
	if of := (data.Part{Index: header.Part, Of: header.Parts}); err == nil && of != part {
		err = fmt.Errorf("found part %v, want %v as the file's name has it", of, part)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return header, records, err
}

func parsePart(r io.Reader) (header PartHeader, records []PartRecord, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxPartLine)
	n := 0
	for ; lines.Scan(); n++ {
		if n == 0 {
			if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
				return header, nil, fmt.Errorf("line 1: %w", jsonerror.Explain(err))
			}
			if err := header.check(); err != nil {
				return header, nil, fmt.Errorf("line 1: %w", err)
			}
			continue
		}
		var record PartRecord
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return header, nil, fmt.Errorf("line %d: %w", n+1, jsonerror.Explain(err))
		}
		if record.Index < 0 || record.Index >= header.Questions {
			return header, nil, fmt.Errorf("line %d: index: found %d, want 0 to %d", n+1, record.Index, header.Questions-1)
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return header, nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if n == 0 {
		return header, nil, errors.New("the file is empty, want a part of predictions")
	}
	return header, records, nil
}

func (h PartHeader) check() error {
	if h.Format != partFormat || h.Version != 1 {
		return fmt.Errorf("found format %.40q, version %d, want %q, 1: this is no part of predictions, or one by another version of this program",
			h.Format, h.Version, partFormat)
	}
	if _, err := data.ParsePart(fmt.Sprintf("%d/%d", h.Part, h.Parts)); err != nil {
		return err
	}
	if h.Questions < 0 {
		return fmt.Errorf("questions: found %d, want 0 or more", h.Questions)
	}
	_, err := questions.ParseKind(string(h.Kind))
	return err
}
