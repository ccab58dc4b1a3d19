package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/filelock"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// StoreOptions say how a store is written.
type StoreOptions struct {
	Preset     string // how regions were chosen; "" takes that of the first image
	Detector   string // a hash of the detector's weights, "" if unknown
	Float32    bool   // features in float32, not float16
	ShardBytes int64  // about so large are shards; 0 is DefaultShardBytes
}

// DefaultShardBytes is the size of a shard: some 7,000 images of 36 regions.
const DefaultShardBytes = 1 << 30

// A StoreWriter adds images to a store. Its methods may be called from several goroutines.
//
// Images are on their way to the disk when Add returns: a program that is killed and started again finds them
// (Has), at most a power cut loses some of the last shard, which is then found out by checksums. Readers see a
// shard's images when it is complete. One writer at a time is let in.
type StoreWriter struct {
	dir      string
	part     Part // that it writes; zero: the whole store
	complete bool // what the part's manifest says
	options  StoreOptions
	lock     sync.Mutex
	held     *filelock.Lock
	manifest Manifest
	done     *Store // the shards that are complete
	shard    *shardWriter
	buffer   []byte
	broken   error // the first failure to write; nothing can be added any more
}

// WriteStore opens a store for adding: a new one in an empty or missing directory, or one that is there,
// perhaps unfinished. The error says where an existing one was written with other options, that another writer
// is at work, that the store is written in parts (see WritePart), or that the directory holds something else.
func WriteStore(dir string, options StoreOptions) (*StoreWriter, error) {
	return openWriter(dir, Part{}, options)
}

func openWriter(dir string, part Part, options StoreOptions) (*StoreWriter, error) {
	if options.ShardBytes <= 0 {
		options.ShardBytes = DefaultShardBytes
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	w := &StoreWriter{dir: dir, part: part, options: options}
	held, err := filelock.Acquire(filepath.Join(dir, part.lockName()))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("%s: another program is writing this store", w.called())
	}
	if err != nil {
		return nil, err
	}
	w.held = held
	open := w.open
	if !part.IsZero() {
		open = w.openPart
	}
	if err := open(); err != nil {
		w.Abandon()
		return nil, err
	}
	return w, nil
}

// called is what messages call the store, or the part.
func (w *StoreWriter) called() string {
	if w.part.IsZero() {
		return w.dir
	}
	return fmt.Sprintf("%s: part %v", w.dir, w.part)
}

// sweep removes what killed writers have left behind.
func (w *StoreWriter) sweep() error {
	return atomicfile.Sweep(w.dir, func(name string) bool {
		return name == w.part.manifestName() || strings.HasPrefix(name, w.part.shardPrefix())
	})
}

// open reads what is there already.
func (w *StoreWriter) open() error {
	if parts, err := partsIn(w.dir); err != nil {
		return err
	} else if len(parts) > 0 {
		return fmt.Errorf("%s: the store is written in %d parts: want one of them (--shard i/%d), or another directory", w.dir, parts[0].Of, parts[0].Of)
	}
	if err := w.sweep(); err != nil {
		return err
	}
	m, err := ReadManifest(w.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := w.fresh(); err != nil {
			return err
		}
		w.manifest = w.options.manifest(storeFormat)
		w.done = &Store{path: w.dir}
	case err != nil:
		return err
	default:
		if err := w.goOn(m); err != nil {
			return err
		}
	}
	return w.resume()
}

// goOn goes on with the shards that a manifest tells of.
func (w *StoreWriter) goOn(m Manifest) (err error) {
	if err := w.options.agree(w.called(), m); err != nil {
		return err
	}
	if w.done, err = storeOf(w.dir, m); err != nil {
		return err
	}
	w.manifest = m
	for _, shard := range m.Shards { // of one who was killed when the manifest had just been written
		os.Remove(filepath.Join(w.dir, strings.TrimSuffix(shard.File, filepath.Ext(shard.File))+".journal"))
	}
	return nil
}

// fresh refuses a directory that holds other things than an unfinished store.
func (w *StoreWriter) fresh() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ours, _ := filepath.Match("regions-*", e.Name()); !ours && e.Name()[0] != '.' {
			return fmt.Errorf("%s: found %s but no %s: this directory holds something else; want an empty one or a store", w.dir, plain(e.Name()), ManifestName)
		}
	}
	return nil
}

func (o StoreOptions) dtype() checkpoint.DType {
	if o.Float32 {
		return checkpoint.F32
	}
	return checkpoint.F16
}

// manifest is that of a store without images.
func (o StoreOptions) manifest(format string) Manifest {
	return Manifest{Format: format, Version: storeMajor, Preset: o.Preset, Detector: o.Detector, DType: o.dtype().String(), Shards: []Shard{}}
}

// agree says where a store that is there was written with other options.
func (o StoreOptions) agree(dir string, m Manifest) error {
	var errs []error
	differ := func(what, found, want string) {
		errs = append(errs, fmt.Errorf("%s: the store has %s %q, found %q: regions of two kinds do not belong into one store", dir, what, found, want))
	}
	if o.Preset != "" && m.Preset != "" && o.Preset != m.Preset {
		differ("preset", m.Preset, o.Preset)
	}
	if o.Detector != m.Detector {
		differ("detector", m.Detector, o.Detector)
	}
	if o.dtype() != m.dtype() {
		differ("features of type", m.DType, o.dtype().String())
	}
	return errors.Join(errs...)
}

// Len is the number of images, those of the unfinished shard included.
func (w *StoreWriter) Len() int {
	w.lock.Lock()
	defer w.lock.Unlock()
	n := w.manifest.Images
	if w.shard != nil {
		n += len(w.shard.images)
	}
	return n
}

// Has says whether the image has been added, now or by an earlier writer.
func (w *StoreWriter) Has(id string) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.has(id)
}

func (w *StoreWriter) has(id string) bool {
	return w.done.Has(id) || w.shard != nil && w.shard.has[id]
}

// Add adds an image. The error says what is wrong with the id (UTF-8, perhaps a path) or the regions, that they
// are of another width or preset than the store's, or that the image is there already; the next image can still
// be added. An error of the file system is final: it is returned from then on.
func (w *StoreWriter) Add(id string, r vision.Regions) error {
	if err := checkRegions(id, r, w.options.dtype()); err != nil {
		return each(err, func(err error) error { return fmt.Errorf("image %s: %w", plain(id), err) })
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	switch {
	case w.broken != nil:
		return w.broken
	case w.held == nil:
		return fmt.Errorf("%s: %w", w.dir, fs.ErrClosed)
	case !w.part.Has(id):
		return fmt.Errorf("image %s belongs to part %d/%d, found it in %v", plain(id), PartOf(id, w.part.Of), w.part.Of, w.part)
	case w.has(id):
		return fmt.Errorf("image %s is in the store already, want each once", plain(id))
	}
	if w.manifest.FeatureWidth == 0 { // the first image
		w.manifest.FeatureWidth = r.FeatureWidth
		if w.manifest.Preset == "" {
			w.manifest.Preset = r.Preset
		}
	}
	if r.FeatureWidth != w.manifest.FeatureWidth {
		return fmt.Errorf("image %s: features are %d numbers wide, want %d as in the rest of the store", plain(id), r.FeatureWidth, w.manifest.FeatureWidth)
	}
	if r.Preset != w.manifest.Preset && r.Preset != "" {
		return fmt.Errorf("image %s: regions of preset %q, want %q as in the rest of the store: a model does worse with regions of another detector", plain(id), r.Preset, w.manifest.Preset)
	}
	w.broken = w.add(id, r)
	return w.broken
}

func checkRegions(id string, r vision.Regions, dtype checkpoint.DType) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := r.Check(r.FeatureWidth, 4); err != nil {
		return err
	}
	switch {
	case r.FeatureWidth > maxWidth:
		return fmt.Errorf("features are %d numbers wide, want at most %d", r.FeatureWidth, maxWidth)
	case max(r.Size.Width, r.Size.Height) > maxSide:
		return fmt.Errorf("the picture's size is %d × %d pixels, want at most %d", r.Size.Width, r.Size.Height, maxSide)
	case dtype == checkpoint.F16:
		return fitsHalf(r)
	}
	return nil
}

// add writes an image that has been checked.
func (w *StoreWriter) add(id string, r vision.Regions) error {
	if w.shard != nil && w.shard.stream.Size() >= w.options.ShardBytes {
		if err := w.finishShard(); err != nil {
			return err
		}
	}
	w.buffer = encodeImage(w.buffer[:0], r, w.manifest.dtype())
	for {
		if w.shard == nil {
			err := w.reopenPart()
			if err != nil {
				return err
			}
			if w.shard, err = w.newShard(id, r); err != nil {
				return err
			}
		}
		err := w.shard.add(id, r.Len(), flagsOf(r), w.buffer)
		if !errors.Is(err, checkpoint.ErrHeaderFull) || len(w.shard.images) == 0 {
			return err
		}
		if err := w.finishShard(); err != nil { // ids were longer than thought
			return err
		}
	}
}

// Err is the first failure to write, after which nothing can be added; nil if there was none.
func (w *StoreWriter) Err() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.broken
}

// Flush completes the shard that is being written, so that readers see it.
func (w *StoreWriter) Flush() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.broken != nil {
		return w.broken
	}
	w.broken = w.finishShard()
	return w.broken
}

// Close completes the store. After it the writer is of no more use; closing twice does no harm.
func (w *StoreWriter) Close() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.held == nil {
		return w.broken
	}
	if w.broken == nil {
		w.broken = w.finishShard()
	}
	if w.broken == nil {
		w.broken = w.finishPart()
	}
	w.release()
	return w.broken
}

// Abandon leaves the store as it is, for a later writer to go on with. After Close it does nothing, so it can
// be deferred.
func (w *StoreWriter) Abandon() {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.release()
}

func (w *StoreWriter) release() {
	if w.shard != nil {
		w.shard.suspend()
		w.shard = nil
	}
	if w.done != nil {
		w.done.Close()
	}
	if w.held != nil {
		w.held.Release()
		w.held = nil
	}
}

// finishShard completes the shard and then tells readers of it, by way of the manifest.
func (w *StoreWriter) finishShard() error {
	if w.shard == nil {
		return nil
	}
	if len(w.shard.images) == 0 {
		w.shard.discard()
		w.shard = nil
		return nil
	}
	about, err := w.shard.finish()
	if err != nil {
		return err
	}
	m := w.manifest
	about.Part = w.part.Index
	m.Shards = append(append([]Shard{}, m.Shards...), about)
	m.Images += about.Images
	m.Regions += about.Regions
	if err := w.publish(m); err != nil {
		return err
	}
	opened, err := openShard(w.dir, m, about)
	if err != nil {
		return err
	}
	w.manifest = m
	w.done.manifest, w.done.shards = m, append(w.done.shards, opened)
	os.Remove(w.shard.journalPath()) // nothing depends on its going
	w.shard = nil
	return nil
}

// publish tells of shards that are complete.
func (w *StoreWriter) publish(m Manifest) error {
	if w.part.IsZero() {
		return m.write(w.dir)
	}
	return PartManifest{m, w.part.Index, w.complete}.write(w.dir)
}

// sha256File is the SHA-256 of a file in hexadecimal.
func sha256File(path string) (string, error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
