package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// ManifestName is the file that makes a directory a region store.
const ManifestName = "manifest.json"

const (
	storeFormat = "lxmert region store"
	storeMajor  = 1
	maxManifest = 64 << 20
	maxWidth    = 1 << 20 // numbers that describe a region
)

// A Manifest says what is in a store. Preset and detector are in the metadata of each shard too.
type Manifest struct {
	Format       string  `json:"format"`  // "lxmert region store"
	Version      int     `json:"version"` // 1
	Preset       string  `json:"preset"`  // how regions were chosen, see vision.Presets; "" if unknown
	Detector     string  `json:"detector,omitempty"`
	FeatureWidth int     `json:"feature_width"`
	DType        string  `json:"dtype"` // of the features: F16 or F32
	Images       int     `json:"images"`
	Regions      int     `json:"regions"`
	Parts        int     `json:"parts,omitempty"` // into how many it is divided by image id, see Part; 0: it is not
	Shards       []Shard `json:"shards"`          // by part, and as they were written
}

// A Shard is one safetensors file of a store and its index, by names in the store's directory, with their SHA-256.
type Shard struct {
	File        string `json:"file"`
	Bytes       int64  `json:"bytes"`
	SHA256      string `json:"sha256"`
	Images      int    `json:"images"`
	Regions     int    `json:"regions"`
	Index       string `json:"index"`
	IndexSHA256 string `json:"index_sha256"`
	Part        int    `json:"part,omitempty"` // that its images belong to, from 0
}

func (m Manifest) dtype() checkpoint.DType {
	d, _ := checkpoint.ParseDType(m.DType)
	return d
}

// ReadManifest reads the manifest of the store in a directory. The error satisfies errors.Is(err,
// fs.ErrNotExist) if there is none.
func ReadManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, ManifestName)
	content, err := plainfile.Read(path, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		if parts, _ := partsIn(dir); len(parts) > 0 {
			return Manifest{}, fmt.Errorf("%s: the store is written in %d parts and has not been assembled: "+
				"lxmert data assemble does it, or says which parts are missing: %w", dir, parts[0].Of, fs.ErrNotExist)
		}
		if partial, _ := filepath.Glob(filepath.Join(dir, "regions-*"+checkpoint.PartialSuffix)); partial != nil {
			return Manifest{}, fmt.Errorf("%s: the store's first shard is not complete: its writer is at work, or was interrupted and can be started again: %w", dir, fs.ErrNotExist)
		}
		if _, statErr := os.Stat(dir); statErr == nil {
			return Manifest{}, fmt.Errorf("%s is no region store, it has no %s: %w", dir, ManifestName, fs.ErrNotExist)
		}
	}
	if err != nil {
		return Manifest{}, err
	}
	m, err := ParseManifest(content)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ParseManifest reads what a store's manifest file has.
func ParseManifest(content []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return Manifest{}, jsonerror.Explain(err)
	}
	switch {
	case m.Format != storeFormat:
		return Manifest{}, fmt.Errorf("format: found %q, want %q", m.Format, storeFormat)
	case m.FeatureWidth < 1:
		return Manifest{}, fmt.Errorf("feature_width: found %d, want 1 to %d", m.FeatureWidth, maxWidth)
	}
	return m, m.check()
}

// check looks at what a store's manifest and a part's have in common.
func (m Manifest) check() error {
	switch {
	case m.Version != storeMajor:
		return fmt.Errorf("version: found %d, want %d: the store was written by another version of this program", m.Version, storeMajor)
	case m.dtype() != checkpoint.F16 && m.dtype() != checkpoint.F32:
		return fmt.Errorf("dtype: found %q, want F16 or F32", m.DType)
	case m.FeatureWidth < 0 || m.FeatureWidth > maxWidth || m.FeatureWidth == 0 && len(m.Shards) > 0:
		return fmt.Errorf("feature_width: found %d, want 1 to %d", m.FeatureWidth, maxWidth)
	case m.Parts < 0 || m.Parts > MaxParts:
		return fmt.Errorf("parts: found %d, want 0 to %d", m.Parts, MaxParts)
	}
	seen := map[string]bool{}
	images, regions := 0, 0
	for i, s := range m.Shards {
		for _, name := range []string{s.File, s.Index} {
			if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) || seen[name] {
				return fmt.Errorf("shards: entry %d: found file %q, want a name in this directory, each once", i, name)
			}
			seen[name] = true
		}
		if s.Images < 0 || s.Regions < 0 || s.Images > 1<<40 || s.Regions > 1<<50 {
			return fmt.Errorf("shards: entry %d: %d images, %d regions: want numbers that can be", i, s.Images, s.Regions)
		}
		if s.Part < 0 || s.Part >= max(m.Parts, 1) || i > 0 && s.Part < m.Shards[i-1].Part {
			return fmt.Errorf("shards: entry %d: found part %d, want them by part, from 0 to %d", i, s.Part, max(m.Parts, 1)-1)
		}
		images += s.Images
		regions += s.Regions
	}
	if m.Images != images || m.Regions != regions {
		return fmt.Errorf("images, regions: found %d and %d, but the shards have %d and %d", m.Images, m.Regions, images, regions)
	}
	return nil
}

// Bytes are the manifest file's.
func (m Manifest) Bytes() ([]byte, error) {
	content, err := json.MarshalIndent(m, "", "  ")
	return append(content, '\n'), err
}

func (m Manifest) write(dir string) error {
	content, err := m.Bytes()
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, ManifestName), 0o644, content)
}
