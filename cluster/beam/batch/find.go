package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/cluster/beam/source"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/extract"
)

// Sources say where pictures come from.
type Sources struct {
	// Pictures are files, directories and patterns of them, as extract.Find has them (but no archives); on object stores patterns alone.
	Pictures  []string
	Recursive bool // a directory stands for those below it, too

	Lists  []string      // patterns of files that list pictures, see source.FormatOf
	Fields source.Fields // of the records in lists

	PathIDs bool // where nothing says what a picture's id is, it is its path, and not only its name
}

// A Picture is one that nobody has looked at yet.
type Picture struct {
	ID, Path string // Path says where it is, or where it was found
	Bytes    int64  // of the file, and when it was last changed, in nanoseconds since 1970, where that is known; so that changed pictures are noticed
	Changed  int64
	Content  []byte // the file, where a list has it
	Fault    string // why it cannot be looked at
}

func init() {
	register.DoFn4x1[context.Context, string, func(int, Picture), func(string), error](&findFn{})
	register.DoFn3x1[context.Context, string, func(int, Picture), error](&readListFn{})
	register.DoFn2x0[[]byte, func(int, Picture)](&everyPartFn{})
	register.Emitter2[int, Picture]()
	register.Emitter1[string]()
}

// check says what is missing before a job begins.
func (o Sources) check() error {
	if len(o.Pictures)+len(o.Lists) == 0 {
		return errors.New("no pictures are given")
	}
	for _, path := range append(append([]string{}, o.Pictures...), o.Lists...) {
		if err := files.Check(path); err != nil {
			return err
		}
	}
	return nil
}

// pictures are all pictures by the part that they are in. Each part has one at least, with no id and no fault, which stands for nothing: so that parts
// without pictures are made, too.
func (o Sources) pictures(s beam.Scope, job string, parts int) beam.PCollection {
	s = s.Scope("find pictures")
	all := []beam.PCollection{beam.ParDo(s, &everyPartFn{Parts: parts}, beam.Impulse(s))}
	var lists []beam.PCollection
	if len(o.Pictures) > 0 {
		found, _ := beam.ParDo2(s, &findFn{Sources: o, Job: job, Parts: parts}, beam.CreateList(s, o.Pictures))
		all = append(all, found)
	}
	if len(o.Lists) > 0 {
		_, found := beam.ParDo2(s, &findFn{Sources: o, Job: job, Parts: parts, Lists: true}, beam.CreateList(s, o.Lists))
		lists = append(lists, beam.Reshuffle(s, found)) // so that several workers read lists
	}
	for _, found := range lists {
		all = append(all, beam.ParDo(s, &readListFn{Sources: o, Job: job, Parts: parts}, found))
	}
	return beam.Flatten(s, all...)
}

// everyPartFn gives each part something.
type everyPartFn struct{ Parts int }

func (f *everyPartFn) ProcessElement(_ []byte, emit func(int, Picture)) {
	for i := range f.Parts {
		emit(i, Picture{})
	}
}

// findFn finds what a path or pattern stands for: pictures, or lists of them.
type findFn struct {
	Sources Sources
	Job     string
	Parts   int
	Lists   bool
}

func (f *findFn) ProcessElement(ctx context.Context, pattern string, picture func(int, Picture), list func(string)) error {
	return failed(ctx, f.Job, f.find(ctx, pattern, func(p Picture) { picture(partOf(p, f.Parts), p) }, list))
}

// partOf is the part of a picture; one without an id, which has a fault, is in one too.
func partOf(p Picture, parts int) int {
	if p.ID == "" {
		return data.PartOf(p.Path, parts)
	}
	return data.PartOf(p.ID, parts)
}

func (f *findFn) find(ctx context.Context, pattern string, picture func(Picture), list func(string)) error {
	if f.Lists {
		found, err := files.List(ctx, pattern)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("%s: found no list of pictures", pattern)
		}
		for _, path := range found {
			list(path)
		}
		return nil
	}
	if files.IsLocal(pattern) {
		return f.findLocal(pattern, picture)
	}
	return f.findObjects(ctx, pattern, picture)
}

// findLocal finds pictures on a file system that is mounted.
func (f *findFn) findLocal(pattern string, picture func(Picture)) error {
	switch name := strings.ToLower(pattern); {
	case strings.HasSuffix(name, ".tar"), strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"), strings.HasSuffix(name, ".zip"):
		return fmt.Errorf("%s: archives can only be read by one worker: unpack it, make a TFRecord or Parquet file of it, or let lxmert extract read it", pattern)
	}
	found, err := extract.Find([]string{pattern}, extract.FindOptions{Recursive: f.Sources.Recursive, PathIDs: f.Sources.PathIDs})
	if err != nil {
		return err
	}
	defer found.Close()
	return found.Each(func(id, path string, err error) bool {
		p := Picture{ID: id, Path: path}
		if err != nil {
			p.ID, p.Fault = "", err.Error()
		} else if info, err := os.Stat(path); err == nil { // or else whoever opens it says so
			p.Bytes, p.Changed = info.Size(), info.ModTime().UnixNano()
		}
		picture(p)
		return true
	})
}

// findObjects finds pictures in an object store, by the ends of their names.
func (f *findFn) findObjects(ctx context.Context, pattern string, picture func(Picture)) error {
	found, err := files.List(ctx, pattern)
	if err != nil {
		return err
	}
	n := 0
	base := literal(pattern)
	typed := extract.IsPicture(files.Base(pattern)) || !strings.Contains(files.Base(pattern), ".")
	for _, path := range found {
		if typed && !extract.IsPicture(files.Base(path)) {
			continue
		}
		n++
		picture(identified(path, strings.TrimPrefix(path, base), f.Sources.PathIDs))
	}
	if n == 0 {
		return fmt.Errorf("%s: found no pictures that match it; a directory is given as %s", pattern, files.Join(pattern, "*"))
	}
	return nil
}

// literal is the directory of a pattern up to where it is one.
func literal(pattern string) string {
	if at := strings.IndexAny(pattern, `*?[\`); at >= 0 {
		pattern = pattern[:at]
	}
	return pattern[:strings.LastIndexByte(pattern, '/')+1]
}

// identified is a picture whose id is in its path.
func identified(path, from string, whole bool) Picture {
	id, err := extract.PictureID(filepath.ToSlash(from), whole)
	if err != nil {
		return Picture{Path: path, Fault: err.Error()}
	}
	return Picture{ID: id, Path: path}
}

// readListFn reads a list of pictures.
type readListFn struct {
	Sources Sources
	Job     string
	Parts   int
}

func (f *readListFn) ProcessElement(ctx context.Context, list string, emit func(int, Picture)) error {
	return failed(ctx, f.Job, f.read(ctx, list, func(p Picture) { emit(partOf(p, f.Parts), p) }))
}

func (f *readListFn) read(ctx context.Context, list string, picture func(Picture)) error {
	format := source.FormatOf(list)
	path := list
	if format == source.Parquet && !files.IsLocal(list) { // which is read here and there
		dir, err := os.MkdirTemp("", "lxmert-beam-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "list.parquet")
		if err := files.Fetch(ctx, list, path); err != nil {
			return err
		}
	}
	content, _, err := files.Open(ctx, path)
	if err != nil {
		return err
	}
	defer content.Close()
	err = source.Read(content, format, f.Sources.Fields, func(r source.Record, err error) bool {
		picture(f.picture(list, r, err))
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	return nil
}

// picture makes one of a record. Paths in a list are as given, or beside the list if they are relative and it is in an object store.
func (f *readListFn) picture(list string, r source.Record, err error) Picture {
	if err != nil {
		return Picture{Path: list, Fault: err.Error()}
	}
	if r.Content != nil {
		p := identified(list+":"+r.ID, r.ID, f.Sources.PathIDs)
		p.Content = r.Content
		return p
	}
	path := r.Path
	if !files.IsLocal(list) && files.IsLocal(path) && !filepath.IsAbs(path) {
		path = literal(list) + path
	}
	if r.ID != "" {
		return Picture{ID: r.ID, Path: path}
	}
	from := r.Path
	if _, object, ok := strings.Cut(from, "://"); ok {
		_, from, _ = strings.Cut(object, "/") // the bucket is no part of it
	}
	return identified(path, from, f.Sources.PathIDs)
}
