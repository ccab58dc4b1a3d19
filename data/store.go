package data

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sort"
	"sync"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// A Store is a directory of regions: safetensors files (shards) with these tensors for each image,
//
//	ID/features          F16 or F32  [regions, width]
//	ID/boxes             F32         [regions, 4]: x1, y1, x2, y2 in 0..1
//	ID/size              I64         [2]: height, width of the picture in pixels
//	ID/object_ids        I64         [regions]: lines of the detector's vocabulary, from 0
//	ID/object_scores     F32         [regions], in 0..1
//	ID/attribute_ids     I64         [regions]
//	ID/attribute_scores  F32         [regions]
//
// a manifest (manifest.json), and beside each shard an index, from which OpenStore learns what is where without
// reading the shard's header. Size, objects and attributes are left out where they are unknown.
//
// Files are mapped: opening takes no longer for many images, memory is what the system can spare, and is shared
// by all who read. Methods may be called from several goroutines. A store may grow while it is read; who opened
// it earlier sees what was there then.
type Store struct {
	path     string
	manifest Manifest
	shards   []*storeShard
	lock     sync.RWMutex // held for reading while the indexes are in use
	closed   bool
}

// A storeShard is one safetensors file of a store and its index.
type storeShard struct {
	file  *checkpoint.Raw
	index *storeIndex
	about Shard
	width int
	dtype checkpoint.DType // of the features
}

// OpenStore opens a store. The error names the file that is missing, is not as long as the manifest says, or
// does not fit its index; what is in the tensors is looked at when they are read (all of them: CheckStore).
func OpenStore(path string) (*Store, error) {
	m, err := ReadManifest(path)
	if err != nil {
		return nil, err
	}
	return storeOf(path, m)
}

func storeOf(path string, m Manifest) (*Store, error) {
	s := &Store{path: path, manifest: m}
	for _, about := range m.Shards {
		shard, err := openShard(path, m, about)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.shards = append(s.shards, shard)
	}
	return s, nil
}

func openShard(dir string, m Manifest, about Shard) (*storeShard, error) {
	file, err := checkpoint.OpenRaw(filepath.Join(dir, about.File))
	if err != nil {
		return nil, err
	}
	shard := &storeShard{file: file, about: about, width: m.FeatureWidth, dtype: m.dtype()}
	if int64(file.Size()) != about.Bytes {
		err = fmt.Errorf("%s: found %d bytes, want %d (%s): the file was cut off or replaced", file.Path(), file.Size(), about.Bytes, ManifestName)
	} else if shard.index, err = openIndex(filepath.Join(dir, about.Index)); err == nil && shard.index.len() != about.Images {
		err = fmt.Errorf("%s: found %d images, want %d (%s)", filepath.Join(dir, about.Index), shard.index.len(), about.Images, ManifestName)
	}
	if err != nil {
		shard.close()
		return nil, err
	}
	return shard, nil
}

// Path is the directory, as it was opened.
func (s *Store) Path() string { return s.path }

// Manifest is what the store says about itself.
func (s *Store) Manifest() Manifest { return s.manifest }

// Len is the number of images.
func (s *Store) Len() int { return s.manifest.Images }

// Has says whether the store has regions of the image.
func (s *Store) Has(id string) bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	_, _, ok := s.find(id)
	return ok
}

// find looks through the shards' indexes. The caller holds the lock.
func (s *Store) find(id string) (*storeShard, indexEntry, bool) {
	if s.closed {
		return nil, indexEntry{}, false
	}
	hash := idHash(id)
	for _, shard := range s.shardsFor(id) {
		if e, ok := shard.index.find(hash, id); ok {
			return shard, e, true
		}
	}
	return nil, indexEntry{}, false
}

// shardsFor are those in which the image may be: those of its part, which stand together, so that a store of a thousand parts is not
// looked through a thousand times.
func (s *Store) shardsFor(id string) []*storeShard {
	if s.manifest.Parts <= 1 {
		return s.shards
	}
	part := PartOf(id, s.manifest.Parts)
	from := sort.Search(len(s.shards), func(i int) bool { return s.shards[i].about.Part >= part })
	to := from
	for to < len(s.shards) && s.shards[to].about.Part == part {
		to++
	}
	return s.shards[from:to]
}

// Get reads the regions of one image. They have passed vision.Regions.Check.
//
// The error is a *NotFoundError (errors.Is ErrNotFound) if there is no such id; else it names file, image and tensor.
func (s *Store) Get(id string) (vision.Regions, error) {
	var r vision.Regions
	err := s.Read(id, &r)
	return r, err
}

// Read is Get into regions whose slices are used again where they are large enough: for those who go through many
// images. After an error r holds nothing of use.
func (s *Store) Read(id string, r *vision.Regions) error {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if s.closed {
		return fmt.Errorf("%s: %w", s.path, checkpoint.ErrClosed)
	}
	shard, e, ok := s.find(id)
	if !ok {
		return &NotFoundError{Path: s.path, ID: id, among: s}
	}
	return s.read(shard, e, r)
}

func (s *Store) read(shard *storeShard, e indexEntry, r *vision.Regions) error {
	if err := shard.read(e, r); err != nil {
		return each(err, func(err error) error {
			return fmt.Errorf("%s: image %s: %w", shard.file.Path(), plain(e.id), err)
		})
	}
	r.Preset = s.manifest.Preset
	return nil
}

// All goes through the images in the order in which they were written. An image that cannot be read comes with
// its ID and error, and the next one follows. Line is 0.
func (s *Store) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, shard := range s.shards {
			for _, id := range s.idsOf(shard) {
				r, err := s.Get(id)
				if !yield(Record{ID: id, Regions: r}, err) {
					return
				}
			}
		}
	}
}

// IDs are the image ids in the order in which they were written.
func (s *Store) IDs() []string {
	out := make([]string, 0, s.Len())
	for _, shard := range s.shards {
		out = append(out, s.idsOf(shard)...)
	}
	return out
}

func (s *Store) idsOf(shard *storeShard) []string {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if s.closed {
		return nil
	}
	return shard.index.ids()
}

// Close unmaps the files; methods that read give errors from then on.
func (s *Store) Close() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, shard := range s.shards {
		errs = append(errs, shard.close())
	}
	return errors.Join(errs...)
}

func (shard *storeShard) close() error {
	err := shard.file.Close()
	if shard.index != nil {
		err = errors.Join(err, shard.index.close())
	}
	return err
}
