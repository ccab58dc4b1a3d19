package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/extract"
	"github.com/go-lxmert/lxmert/internal/filelock"
)

// An extractPart is a part of a region store on its way.
type extractPart struct {
	options  ExtractOptions
	part     data.Part
	pictures []partPicture
	spool    *spool // of pictures whose bytes came; nil if none did
}

// A partPicture is a picture, without its bytes.
type partPicture struct {
	Picture
	SHA256   string // of the bytes, where they came
	at, size int64  // in the spool
}

// take adds a picture. Its bytes go to the disk: there may be many.
func (e *extractPart) take(ctx context.Context, p Picture) error {
	if p.ID == "" && p.Fault == "" { // see Sources.pictures
		return nil
	}
	one := partPicture{Picture: p}
	if p.Content != nil {
		if e.spool == nil {
			var err error
			if e.spool, err = newSpool(); err != nil {
				return err
			}
		}
		sum := sha256.Sum256(p.Content)
		one.SHA256, one.size = hex.EncodeToString(sum[:]), int64(len(p.Content))
		var err error
		if one.at, err = e.spool.add(p.Content); err != nil {
			return err
		}
		one.Content = nil
	}
	e.pictures = append(e.pictures, one)
	return nil
}

func (e *extractPart) close() {
	if e.spool != nil {
		e.spool.close()
		e.spool = nil
	}
}

// run does the work, unless the part is there.
func (e *extractPart) run(ctx context.Context) (Done, error) {
	slices.SortStableFunc(e.pictures, func(a, b partPicture) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Path, b.Path), cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Fault, b.Fault))
	})
	made, err := e.madeOf()
	if err != nil {
		return Done{}, err
	}
	return unlessWhole(ctx, e.options.Out, e.part, made, e.options.Again, func() (Done, error) { return e.extract(ctx, made) })
}

// madeOf is a hash of the pictures and of the options that the part's bytes depend on.
func (e *extractPart) madeOf() (string, error) {
	detector, err := identity(e.options.Detector.Name)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	lines := json.NewEncoder(hash)
	o := e.options
	if err := lines.Encode([]any{"extract", e.part.String(), detector, o.Detector.DType, o.Detector.Options, o.Float32, o.ShardBytes}); err != nil {
		return "", err
	}
	for _, p := range e.pictures {
		if err := lines.Encode([]any{p.ID, p.Path, p.Bytes, p.Changed, p.SHA256, p.Fault}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// extract finds the regions in a directory that nobody reads, and puts the files into their places.
func (e *extractPart) extract(ctx context.Context, made string) (Done, error) {
	extractor, err := e.options.Detector.open(ctx)
	if err != nil {
		return Done{}, err
	}
	store := data.StoreOptions{Preset: extractor.Preset(), Float32: e.options.Float32, ShardBytes: e.options.ShardBytes}
	work, err := e.begin(made, store)
	if work != nil {
		defer work.leave()
	}
	if err != nil {
		return Done{}, err
	}
	var letters []DeadLetter
	o := extract.Options{Parallel: e.options.Parallel, Fault: func(f extract.Fault) error {
		letters = append(letters, DeadLetter{ID: f.ID, Path: f.Path, Error: f.Err.Error()})
		return nil
	}}
	report, err := extract.Run(ctx, extract.Pick(e.given(ctx)), extractor, work.writer, o)
	if err != nil {
		return Done{}, err
	}
	if err := work.writer.Close(); err != nil {
		return Done{}, err
	}
	done := Done{Part: e.part.Index, Of: e.part.Of, Items: len(e.pictures), Made: report.Added + report.There, DeadLetters: report.Failed}
	if err := e.publish(ctx, work, made, &done, letters); err != nil {
		return Done{}, err
	}
	return done, work.remove()
}

// given are the pictures as package extract takes them.
func (e *extractPart) given(ctx context.Context) func(func(extract.Given) bool) {
	return func(yield func(extract.Given) bool) {
		for _, p := range e.pictures {
			g := extract.Given{ID: p.ID, Path: p.Path}
			switch {
			case p.Fault != "":
				g.Err = errors.New(p.Fault)
			case p.SHA256 != "":
				g.Open = func() (io.ReadCloser, int64, error) { return e.spool.open(p.at, p.size), p.size, nil }
			case !files.IsLocal(p.Path):
				g.Open = func() (io.ReadCloser, int64, error) { return openPatiently(ctx, p.Path) }
			}
			if !yield(g) {
				return
			}
		}
	}
}

// openPatiently opens an object, and tries again where the store is busy: a picture is not bad for that.
func openPatiently(ctx context.Context, path string) (file io.ReadCloser, size int64, err error) {
	for _, wait := range []time.Duration{time.Second, 4 * time.Second, 0} {
		if file, size, err = files.Open(ctx, path); err == nil || wait == 0 || errors.Is(err, os.ErrNotExist) {
			break
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return file, size, err
}

// scratchDir is where a part is made, so that who is killed goes on where it was.
func (e *extractPart) scratchDir() string {
	switch name := "lxmert-beam-" + e.part.FileSuffix(); {
	case e.options.Scratch != "":
		return filepath.Join(e.options.Scratch, name)
	case files.IsLocal(e.options.Out):
		return filepath.Join(e.options.Out, "."+name)
	default:
		sum := sha256.Sum256([]byte(e.options.Out))
		return filepath.Join(os.TempDir(), "lxmert-beam-"+hex.EncodeToString(sum[:6]), name)
	}
}

// begin opens the part in its scratch directory. What is there of other pictures or options is removed; if another is at work in it, as runners let two
// try the same, the part is made in a directory of its own.
func (e *extractPart) begin(made string, store data.StoreOptions) (*atWork, error) {
	w := &atWork{dir: e.scratchDir()}
	if err := os.MkdirAll(filepath.Dir(w.dir), 0o755); err != nil {
		return nil, err
	}
	var err error
	w.lock, err = filelock.Acquire(w.dir + ".lock")
	switch {
	case errors.Is(err, filelock.ErrHeld):
		if w.dir, err = os.MkdirTemp(filepath.Dir(w.dir), filepath.Base(w.dir)+"-"); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	if text, err := os.ReadFile(w.label()); err != nil || string(text) != made {
		if err := os.RemoveAll(w.dir); err != nil {
			return w, err
		}
	}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return w, err
	}
	if err := os.WriteFile(w.label(), []byte(made), 0o644); err != nil {
		return w, err
	}
	w.writer, err = data.WritePart(w.dir, e.part, store)
	return w, err
}

// atWork is the directory in which a part is made.
type atWork struct {
	dir    string
	lock   *filelock.Lock // nil: nobody else knows of it
	writer *data.StoreWriter
}

// label is the file that says of what the part is made. Its name begins with a dot: it is none of the store's.
func (w *atWork) label() string { return filepath.Join(w.dir, ".made-of") }

// leave lets others go on.
func (w *atWork) leave() {
	if w.writer != nil {
		w.writer.Abandon()
	}
	if w.lock != nil {
		w.lock.Release()
	}
}

// remove removes it: its files have been put elsewhere.
func (w *atWork) remove() error {
	if w.lock == nil {
		return os.RemoveAll(w.dir)
	}
	return errors.Join(os.RemoveAll(w.dir), os.Remove(w.dir+".lock"))
}

// publish puts the part's files into their places: the manifest after what it tells of, the receipt last.
func (e *extractPart) publish(ctx context.Context, work *atWork, made string, done *Done, letters []DeadLetter) error {
	out := e.options.Out
	manifest := e.part.FileSuffix() + ".json"
	content, err := os.ReadFile(filepath.Join(work.dir, manifest))
	if err != nil {
		return err
	}
	m, err := data.ParsePartManifest(content)
	if err != nil {
		return err
	}
	done.Regions = m.Regions
	if err := os.Remove(work.label()); err != nil { // who is killed from here on begins anew
		return err
	}
	for _, name := range []string{data.ManifestName, manifest} {
		if err := files.Remove(ctx, files.Join(out, name)); err != nil {
			return err
		}
	}
	if err := reopen(ctx, out, e.part); err != nil {
		return err
	}
	old, err := files.In(ctx, out, "regions-"+strings.TrimPrefix(e.part.FileSuffix(), "part-")+"-*")
	if err != nil {
		return err
	}
	var names []string
	for _, shard := range m.Shards {
		names = append(names, shard.File, shard.Index)
	}
	for _, path := range old {
		if !slices.Contains(names, files.Base(path)) {
			if err := files.Remove(ctx, path); err != nil {
				return err
			}
		}
	}
	var all []file
	for _, name := range append(names, manifest) {
		info, err := os.Stat(filepath.Join(work.dir, name))
		if err != nil {
			return err
		}
		all = append(all, file{name, info.Size()})
		done.Bytes += info.Size()
		if err := files.Put(ctx, filepath.Join(work.dir, name), files.Join(out, name)); err != nil {
			return err
		}
	}
	if err := putDeadLetters(ctx, out, e.part, letters); err != nil {
		return err
	}
	return sign(ctx, out, made, *done, all)
}
