package checkpoint

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// sharded opens the shards that an index lists, and checks that index and shards agree
// about every tensor. What the index says about sizes is not used: libraries have counted
// differently over the years.
func (load loader) sharded(dir plainfile.Dir, index string) (*File, error) {
	at := dir.Path(index)
	weightMap, err := readIndex(dir, index)
	if err != nil {
		return nil, inFile(at, err)
	}
	f := &File{path: at}
	var errs []error
	for _, name := range slices.Compact(slices.Sorted(maps.Values(weightMap))) {
		content, err := load.open(dir, name)
		var s *shard
		if err == nil {
			s, err = newShard(dir.Path(name), content)
		}
		if err != nil {
			errs = append(errs, inFile(at, err))
			continue
		}
		f.shards = append(f.shards, s)
	}
	if errs == nil {
		errs = f.compare(dir, weightMap)
	}
	if errs == nil {
		if err := f.list(); err != nil {
			errs = append(errs, err)
		}
	}
	if errs != nil {
		f.Close()
		return nil, join(errs)
	}
	return f, nil
}

// compare says where the shards differ from what the index promises.
func (f *File) compare(dir plainfile.Dir, weightMap map[string]string) (errs []error) {
	holders := map[string]*shard{}
	for _, s := range f.shards {
		for _, t := range s.tensors {
			if other, ok := holders[t.Name]; ok {
				errs = append(errs, fmt.Errorf("%s: tensor %s is in %s as well", s.path, quote(t.Name), filepath.Base(other.path)))
				continue
			}
			holders[t.Name] = s
			if _, ok := weightMap[t.Name]; !ok {
				errs = append(errs, fmt.Errorf("%s: tensor %s is not in the index %s", s.path, quote(t.Name), filepath.Base(f.path)))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(weightMap)) {
		want := dir.Path(weightMap[name])
		if s, ok := holders[name]; !ok {
			errs = append(errs, fmt.Errorf("%s: tensor %s is missing; the index %s says it is here", want, quote(name), filepath.Base(f.path)))
		} else if s.path != want {
			errs = append(errs, fmt.Errorf("%s: tensor %s is missing, it is in %s; the index %s says it is here", want, quote(name), filepath.Base(s.path), filepath.Base(f.path)))
		}
	}
	return errs
}

// readIndex reads an index, which must be a plain file within the limits.
func readIndex(dir plainfile.Dir, name string) (map[string]string, error) {
	info, err := dir.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("no plain file (%s)", info.Mode())
	}
	if info.Size() > maxHeaderLen {
		return nil, fmt.Errorf("%d bytes, want at most %d for an index of shards", info.Size(), maxHeaderLen)
	}
	text, err := dir.Read(name, maxHeaderLen)
	if err != nil {
		return nil, err
	}
	return parseIndex(text)
}

// parseIndex reads {"metadata": {...}, "weight_map": {"TENSOR": "FILE", ...}} and returns
// the weight map. Files are names below the index's own directory, ending as files of weights do.
func parseIndex(text []byte) (weightMap map[string]string, err error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("not UTF-8 text, want the JSON index of a sharded checkpoint")
	}
	p := newJSONReader(text)
	err = p.object(func(key string) error {
		if key != "weight_map" {
			return p.skip()
		}
		if weightMap != nil {
			return fmt.Errorf("weight_map comes twice")
		}
		weightMap, err = p.stringMap()
		if err != nil {
			return fmt.Errorf("weight_map: %w", err)
		}
		return nil
	})
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	if len(weightMap) == 0 {
		return nil, fmt.Errorf("weight_map is missing or empty, want the JSON index of a sharded checkpoint")
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(weightMap)) {
		if file := weightMap[name]; !localName(file) {
			errs = append(errs, fmt.Errorf("weight_map: tensor %s is said to be in %s, want the name of a file of weights (.safetensors, .bin, .h5) beside the index", quote(name), quote(file)))
		}
	}
	return weightMap, join(errs)
}

// localName refuses what leads out of the index's directory (../../etc/passwd, /dev/zero,
// C:\…) and what is no file of weights, such as the index itself. Symbolic links in the
// directory are followed: the Hub's cache is made of them.
func localName(file string) bool {
	return filepath.IsLocal(filepath.FromSlash(file)) && filepath.ToSlash(filepath.Clean(file)) == file &&
		!strings.ContainsAny(file, "\\:\x00") && slices.Contains([]string{".safetensors", ".bin", ".h5"}, path.Ext(file))
}
