package data

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

const partFormat = "lxmert region store part"

// A PartManifest says what is in one part of a store: part-00003-of-00008.json, beside the part's shards. A part without images has FeatureWidth 0.
type PartManifest struct {
	Manifest      // Format is "lxmert region store part", Parts into how many the store is divided
	Part     int  `json:"part"`     // from 0
	Complete bool `json:"complete"` // its writer has come to the end
}

func (m PartManifest) part() Part { return Part{m.Part, m.Parts} }

// readPart reads the manifest of a part in a store's directory. The error satisfies errors.Is(err, fs.ErrNotExist) if the part has not been begun.
func readPart(dir string, part Part) (PartManifest, error) {
	path := filepath.Join(dir, part.manifestName())
	content, err := plainfile.Read(path, maxManifest)
	if err != nil {
		return PartManifest{}, err
	}
	m, err := ParsePartManifest(content)
	if err == nil && m.part() != part {
		err = fmt.Errorf("found part %v, want %v as the file's name has it", m.part(), part)
	}
	if err != nil {
		return PartManifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ParsePartManifest reads what a part's manifest file has.
func ParsePartManifest(content []byte) (PartManifest, error) {
	var m PartManifest
	if err := json.Unmarshal(content, &m); err != nil {
		return PartManifest{}, jsonerror.Explain(err)
	}
	if m.Format != partFormat {
		return PartManifest{}, fmt.Errorf("format: found %q, want %q", m.Format, partFormat)
	}
	if err := m.part().check(); err != nil {
		return PartManifest{}, err
	}
	if err := m.check(); err != nil {
		return PartManifest{}, err
	}
	for i, s := range m.Shards {
		if s.Part != m.Part || partOfFile(s.File) != m.part() || partOfFile(s.Index) != m.part() {
			return PartManifest{}, fmt.Errorf("shards: entry %d: found file %q, want those of part %v", i, s.File, m.part())
		}
	}
	return m, nil
}

func (m PartManifest) write(dir string) error {
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, m.part().manifestName()), 0o644, append(content, '\n'))
}
