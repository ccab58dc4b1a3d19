package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/filelock"
	"github.com/go-lxmert/lxmert/vision"
)

// A TSVFile adds records to a TSV that an interrupted program may have begun. Its methods may be called from several goroutines.
//
// A record is on its way to the disk when Add returns: a program that is killed and started again finds it (Has), and what was half written is cut off. One
// writer at a time is let in. Memory is taken for the ids.
type TSVFile struct {
	path   string
	about  TSVAbout
	lock   sync.Mutex
	held   *filelock.Lock
	file   *os.File
	size   int64 // of the records that are whole
	w      *TSVWriter
	broken error // the first failure to write; nothing can be added any more
}

// AppendTSV opens a TSV for adding: a new one, or one that it began before, through which it reads once. What the form has no room for, the regions'
// preset, is kept beside it ([TSVAboutSuffix]); Format and Version of about are not looked at. The error says where an existing one was written with other
// options or in parts, that another writer is at work, or that the file is not by this program and stays as it is.
func AppendTSV(path string, about TSVAbout) (*TSVFile, error) {
	if parts, err := PartsBeside(path); err == nil && len(parts) > 0 {
		return nil, fmt.Errorf("%s: the TSV is written in %d parts: want one of them (--shard i/%d), or another name", path, parts[0].Of, parts[0].Of)
	}
	about.Part, about.Parts = 0, 0
	return openTSVFile(path, about)
}

// tsvLock is the file that lets one writer in.
func tsvLock(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
}

func openTSVFile(path string, about TSVAbout) (*TSVFile, error) {
	about.Images, about.Bytes, about.Complete = 0, 0, false
	about.Format, about.Version = tsvAboutFormat, 1
	if about.FeatureWidth < 1 || about.FeatureWidth > maxWidth {
		return nil, fmt.Errorf("%s: features %d numbers wide, want 1 to %d", path, about.FeatureWidth, maxWidth)
	}
	held, err := filelock.Acquire(tsvLock(path))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("%s: another program is writing this file", path)
	}
	if err != nil {
		return nil, err
	}
	t := &TSVFile{path: path, about: about, held: held}
	err = atomicfile.Sweep(filepath.Dir(path), func(name string) bool { return name == filepath.Base(path)+TSVAboutSuffix })
	if err == nil {
		err = t.open()
	}
	if err != nil {
		t.Abandon()
		return nil, err
	}
	return t, nil
}

// open makes the file, or reads what is there already.
func (t *TSVFile) open() error {
	before, ours, err := readTSVAbout(t.path)
	if err != nil {
		return err
	}
	info, err := os.Stat(t.path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no plain file (%s)", t.path, info.Mode())
	case err == nil && info.Size() > 0 && !ours:
		return fmt.Errorf("%s is there already and not by this program (it has no %s): want another name, or remove it", t.path, t.path+TSVAboutSuffix)
	case !ours:
		if err := t.about.write(t.path); err != nil {
			return err
		}
	default:
		if err := t.agree(before); err != nil {
			return err
		}
		t.about = before
	}
	if t.file, err = os.OpenFile(t.path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	t.w = NewTSVWriter(t.file)
	if err := t.resume(); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

// agree says where the file was begun with other options.
func (t *TSVFile) agree(before TSVAbout) error {
	var errs []error
	differ := func(what string, found, want any) {
		errs = append(errs, fmt.Errorf("%s: the file has %s %v, found %v: regions of two kinds do not belong into one file", t.path, what, want, found))
	}
	if before.Preset != t.about.Preset {
		differ("preset", fmt.Sprintf("%q", t.about.Preset), fmt.Sprintf("%q", before.Preset))
	}
	if before.Detector != t.about.Detector {
		differ("detector", fmt.Sprintf("%q", t.about.Detector), fmt.Sprintf("%q", before.Detector))
	}
	if before.FeatureWidth != t.about.FeatureWidth {
		differ("features of width", t.about.FeatureWidth, before.FeatureWidth)
	}
	if before.partOf() != t.about.partOf() {
		errs = append(errs, fmt.Errorf("%s: the file was assembled of %d parts, which are no longer there: it is not added to; take another name",
			t.path, before.Parts))
	}
	return errors.Join(errs...)
}

// resume reads the ids of the records that are whole, and cuts off one that is not.
func (t *TSVFile) resume() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	end, err := lastLineEnd(t.file, info.Size())
	if err != nil {
		return err
	}
	records, err := scan(io.NewSectionReader(t.file, 0, end))
	if err != nil {
		return err
	}
	for _, r := range records {
		if t.w.seen[r.id] {
			return fmt.Errorf("line %d: image id %q stands on a line before already, want each once", r.line, r.id)
		}
		t.w.seen[r.id] = true
	}
	t.size = end
	if err := t.file.Truncate(end); err != nil {
		return err
	}
	_, err = t.file.Seek(end, io.SeekStart)
	return err
}

// lastLineEnd is where the last line that has an end has it.
func lastLineEnd(file io.ReaderAt, size int64) (int64, error) {
	buffer := make([]byte, 1<<18)
	for at := size; at > 0; {
		from := max(0, at-int64(len(buffer)))
		block := buffer[:at-from]
		if _, err := file.ReadAt(block, from); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(block, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		at = from
	}
	return 0, nil
}

// Path is the file's name, as it was opened.
func (t *TSVFile) Path() string { return t.path }

// Len is the number of records.
func (t *TSVFile) Len() int {
	t.lock.Lock()
	defer t.lock.Unlock()
	return len(t.w.seen)
}

// Has says whether the image has been added, now or by an earlier program.
func (t *TSVFile) Has(id string) bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.w.seen[id]
}

// Add adds a picture's regions, see [TSVWriter.Write]; they must be of the file's preset and width. After an error that is not the file system's the next
// picture can still be added.
func (t *TSVFile) Add(id string, r vision.Regions) error {
	t.lock.Lock()
	defer t.lock.Unlock()
	switch {
	case t.broken != nil:
		return t.broken
	case t.file == nil:
		return fmt.Errorf("%s: %w", t.path, fs.ErrClosed)
	case r.FeatureWidth != t.about.FeatureWidth:
		return fmt.Errorf("image %s: features are %d numbers wide, want %d as in the rest of the file", plain(id), r.FeatureWidth, t.about.FeatureWidth)
	case r.Preset != t.about.Preset:
		return fmt.Errorf("image %s: regions of preset %q, want %q as in the rest of the file: a model does worse with regions of another detector",
			plain(id), r.Preset, t.about.Preset)
	}
	if part := t.about.partOf(); !part.Has(id) {
		return fmt.Errorf("image %s belongs to part %d/%d, found it in %v", plain(id), PartOf(id, part.Of), part.Of, part)
	}
	seen := t.w.seen[id]
	if !seen {
		if t.broken = t.complete(false); t.broken != nil {
			return t.broken
		}
	}
	err := t.w.Write(id, r)
	if err == nil {
		t.size += int64(len(t.w.line))
		return nil
	}
	if t.w.seen[id] && !seen { // it was fit to be written, but could not be
		delete(t.w.seen, id)
		t.broken = err          // it names the file
		t.file.Truncate(t.size) // as far as possible; if it cannot be, the next writer does it
		t.file.Seek(t.size, io.SeekStart)
	}
	return err
}

// Err is the first failure to write, after which nothing can be added; nil if there was none.
func (t *TSVFile) Err() error {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.broken
}

// Close puts everything on the disk. After it the writer is of no more use; closing twice does no harm.
func (t *TSVFile) Close() error {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.file != nil && t.broken == nil {
		if t.broken = t.file.Sync(); t.broken == nil {
			t.broken = t.complete(true)
		}
	}
	t.release()
	return t.broken
}

// Abandon leaves the file as it is, for a later writer to go on with. After Close it does nothing, so it can be deferred.
func (t *TSVFile) Abandon() {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.release()
}

func (t *TSVFile) release() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
	if t.held != nil {
		t.held.Release()
		t.held = nil
	}
}
