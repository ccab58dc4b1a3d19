// Package checkpoint reads and writes model weights, and matches the tensors of a checkpoint with the
// weights of a model. It reads safetensors, PyTorch's files of any age, pickles of NumPy's arrays and
// TensorFlow's HDF5 files, each in one file or in the shards that Hugging Face's libraries make of a large one;
// names of the original repository and of TensorFlow become those of Hugging Face's PyTorch classes when a file is
// opened. What a file is is told by its content.
//
// Files are mapped into memory: opening is quick whatever their size, and a tensor is
// read when it is looked at. Everything a file says is checked before it is believed; a
// file that contradicts itself is refused with the tensor's name, what was found and what
// was expected.
//
// A mapped file has one danger that no check can meet: if another program cuts it short
// while it is open, reading the lost part kills the process (SIGBUS). Programs that
// replace files by renaming, as this package does, are harmless. Where files may be
// overwritten in place, use Load, which copies.
package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// The names of a checkpoint's files in a directory, as Hugging Face's libraries have them.
const (
	SingleName = "model.safetensors"
	IndexName  = "model.safetensors.index.json"
)

// A File is an open checkpoint: one safetensors file or a set of shards. Its methods may
// be called from several goroutines.
type File struct {
	path   string
	shards []*shard
	places map[string]place
	names  []string // sorted
}

// A shard is one file, of any format.
type shard struct {
	path     string
	content  *mapping
	format   Format
	metadata map[string]string
	tensors  []Tensor // by the names that the file has; Data is a view of content, or Fetch makes it of content
}

// A place is where a tensor is.
type place struct {
	shard  *shard
	tensor *Tensor
	scales *place // of a quantised tensor
}

// Open opens a checkpoint: a file of weights, the index (.json) of a sharded one, or a
// directory that holds model.safetensors or, failing that, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json,
// tf_model.h5, or a single file of weights of another name.
//
// The error satisfies errors.Is(err, fs.ErrNotExist) if there is no checkpoint at path,
// and says what was looked for and what was there instead. Any other error says in which
// file which tensor is wrong.
func Open(path string) (*File, error) { return loader(mapFile).checkpoint(path) }

// OpenFS is Open for a file system, such as what is embedded in a program: name is that of a file or a directory in it, "." for
// its root. The files are read into memory. Errors name the file within the file system.
func OpenFS(fsys fs.FS, name string) (*File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loader(nil).directory(plainfile.In(fsys, name))
	}
	return loader(nil).file(plainfile.In(fsys, path.Dir(name)), path.Base(name))
}

// Parse opens a file of weights that is in memory; content must not change until the File is closed. Errors call it name.
func Parse(name string, content []byte) (*File, error) {
	return single(name, &mapping{data: content, close: forget})
}

// Load is Open for files that others may overwrite meanwhile, or on a file system that
// may go away: it reads all of them into memory.
func Load(path string) (*File, error) { return loader(readWhole).checkpoint(path) }

func (load loader) checkpoint(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return load.directory(plainfile.OnDisk(path))
	}
	dir, name := filepath.Split(path)
	return load.file(plainfile.OnDisk(dir), name)
}

// directory opens the checkpoint in a directory.
func (load loader) directory(dir plainfile.Dir) (*File, error) {
	name, err := find(dir)
	if err != nil {
		return nil, err
	}
	return load.file(dir, name)
}

// file opens a safetensors file or the index of a sharded checkpoint.
func (load loader) file(dir plainfile.Dir, name string) (*File, error) {
	if strings.HasSuffix(name, ".json") {
		return load.sharded(dir, name)
	}
	content, err := load.open(dir, name)
	if err != nil {
		return nil, err
	}
	return single(dir.Path(name), content)
}

// single is a checkpoint of one file.
func single(path string, content *mapping) (*File, error) {
	s, err := newShard(path, content)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, shards: []*shard{s}}
	if err := f.list(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// usual are the names that a checkpoint has in a directory, in the order in which from_pretrained looks for them.
var usual = []string{SingleName, IndexName, PyTorchName, PyTorchIndexName, KerasName}

// find is the checkpoint in a directory: one of the usual names, or else the only file whose name says that it holds weights.
func find(dir plainfile.Dir) (string, error) {
	for _, name := range usual {
		if _, err := dir.Stat(name); err == nil {
			return name, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	entries, err := dir.Entries()
	if err != nil {
		return "", err
	}
	var others, foreign []string
	for _, e := range entries {
		switch name := e.Name(); {
		case slices.Contains([]string{".safetensors", ".bin", ".pth", ".pt", ".h5", ".hdf5", ".pkl"}, filepath.Ext(name)):
			others = append(others, name)
		case slices.Contains([]string{".msgpack", ".ckpt", ".onnx", ".gguf"}, filepath.Ext(name)):
			foreign = append(foreign, name)
		}
	}
	found := "found none of them"
	switch {
	case len(others) == 1:
		return others[0], nil
	case others != nil:
		found = fmt.Sprintf("found %s: name the one to open", some(others))
	case foreign != nil:
		found = fmt.Sprintf("found %s, which is not read", some(foreign))
	}
	return "", fmt.Errorf("%s: looked for %s, %s: %w", dir, strings.Join(usual, ", "), found, fs.ErrNotExist)
}

// some lists the first few names.
func some(names []string) string {
	const shown = 5
	for i, name := range names {
		names[i] = quote(name)
	}
	if rest := len(names) - shown; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), rest)
	}
	return strings.Join(names, ", ")
}

// newShard reads what is in a file. Tensors are not read.
func newShard(path string, content *mapping) (*shard, error) {
	s := &shard{path: path, content: content, format: formatOf(content.data)}
	if err := s.format.list(s); err != nil {
		content.unmap()
		return nil, inFile(path, err)
	}
	return s, nil
}

// inFile puts the file's name before each of the errors in err.
func inFile(path string, err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range many.Unwrap() {
			errs = append(errs, fmt.Errorf("%s: %w", path, e))
		}
		return join(errs)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// list fills in where each tensor is, under the name that it has here. No name is in two shards.
func (f *File) list() error {
	stored := map[string]*Tensor{}
	for _, s := range f.shards {
		for i := range s.tensors {
			stored[s.tensors[i].Name] = &s.tensors[i]
		}
	}
	renamed := renaming(stored)
	f.places = map[string]place{}
	var errs []error
	for _, s := range f.shards {
		for i := range s.tensors {
			t := &s.tensors[i]
			name := renamed(t.Name)
			if s.format == Keras {
				name, _, _ = fromKeras(t.Name)
			}
			if other, ok := f.places[name]; ok {
				errs = append(errs, fmt.Errorf("%s: tensors %s and %s are both %s", s.path, quote(other.tensor.Name), quote(t.Name), quote(name)))
			}
			f.places[name] = place{shard: s, tensor: t}
		}
	}
	f.names = slices.Sorted(maps.Keys(f.places))
	if errs == nil {
		errs = f.pair()
	}
	return join(errs)
}

// Path is the file that was opened: the safetensors file, or the index of the shards.
func (f *File) Path() string { return f.path }

// Files are the files that hold the tensors: one, or the shards by name.
func (f *File) Files() []string {
	var out []string
	for _, s := range f.shards {
		out = append(out, s.path)
	}
	return out
}

// StoredName is the name that the tensor of that name has in its file, "" if there is none: another one in the original repository's
// files and in TensorFlow's.
func (f *File) StoredName(name string) string {
	if p, ok := f.places[name]; ok {
		return p.tensor.Name
	}
	return ""
}

// storedNames are the names that all tensors have in their files.
func (f *File) storedNames() []string {
	out := make([]string, len(f.names))
	for i, name := range f.names {
		out[i] = f.StoredName(name)
	}
	return out
}

// Formats are the formats of Files.
func (f *File) Formats() []Format {
	var out []Format
	for _, s := range f.shards {
		out = append(out, s.format)
	}
	return out
}

// FileOf is the file that holds the tensor of that name, "" if none does.
func (f *File) FileOf(name string) string {
	if p, ok := f.places[name]; ok {
		return p.shard.path
	}
	return ""
}

// Names are the names of all tensors, sorted; scales belong to their quantised tensors and are not among them.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Metadata is the file's own remarks, such as "format": "pt"; of several shards that
// disagree about a key the first has its say. It is never nil.
func (f *File) Metadata() map[string]string {
	out := map[string]string{}
	for _, s := range slices.Backward(f.shards) {
		maps.Copy(out, s.metadata)
	}
	return out
}

// Tensor returns the tensor of that name without reading it: its Data is a view, good
// until Close. It is false if there is none of the name. After Close the tensor still has
// its type and shape, but no Data, and its methods return ErrClosed.
func (f *File) Tensor(name string) (Tensor, bool) {
	p, ok := f.places[name]
	if !ok {
		return Tensor{}, false
	}
	t := *p.tensor
	t.Name, t.Shape, t.source = name, slices.Clone(t.Shape), p.shard.content
	if p.scales != nil {
		scales := *p.scales.tensor
		scales.Name, scales.Shape, scales.source = name+scaleSuffix, slices.Clone(scales.Shape), p.scales.shard.content
		if scales.source.isClosed() {
			scales.Data = nil
		}
		t.Scales = &scales
	}
	if t.source.isClosed() {
		t.Data = nil
	}
	return t, true
}

// Close unmaps the files. It waits for methods of tensors that are reading; Data and
// Float32View of any tensor must not be touched any more. Closing twice does no harm.
func (f *File) Close() error {
	var errs []error
	for _, s := range f.shards {
		if err := s.content.unmap(); err != nil {
			errs = append(errs, inFile(s.path, err))
		}
	}
	return errors.Join(errs...)
}
