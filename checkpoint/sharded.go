package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// A family is how the files of a checkpoint in one format are called, and written.
type family struct {
	single, index string
	stem, end     string         // of shards: stem-00001-of-00002end
	shard         *regexp.Regexp // names of shards
	write         func(path string, tensors []Tensor) error
}

func newFamily(stem, end string, write func(path string, tensors []Tensor) error) *family {
	return &family{
		single: stem + end, index: stem + end + ".index.json", stem: stem, end: end,
		shard: regexp.MustCompile("^" + stem + "(-[0-9]+)?-[0-9]{5}-of-[0-9]{5}" + regexp.QuoteMeta(end) + "$"),
		write: write,
	}
}

// WriteSharded writes the tensors into a directory, which is made if need be, as
// save_pretrained does: to model.safetensors if they fit into maxShardBytes (or that is 0
// or less), else to shards model-00001-of-0000N.safetensors and their index. Shards are
// filled in the order of tensors; one larger than maxShardBytes has a shard to itself.
//
// The index, or the single file, appears last: until then a reader of the directory finds
// the checkpoint that was there before, whole, after a crash too. For that the shards get
// names that are free: where a checkpoint is replaced, model-2-00001-of-…, and so on. The
// old checkpoint's files are removed at the end.
func WriteSharded(dir string, tensors []Tensor, metadata map[string]string, maxShardBytes int64) error {
	return newFamily("model", ".safetensors", func(path string, tensors []Tensor) error {
		return Write(path, tensors, metadata)
	}).writeTo(dir, withScales(tensors), maxShardBytes)
}

func (f *family) writeTo(dir string, tensors []Tensor, maxShardBytes int64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	shards := split(tensors, maxShardBytes)
	if len(shards) <= 1 {
		if err := f.write(filepath.Join(dir, f.single), tensors); err != nil {
			return err
		}
		return f.removeStale(dir, map[string]bool{f.single: true})
	}
	// A name that is twice in tensors might land in different shards, where nobody sees a fault.
	if _, _, err := plan(tensors, nil); err != nil {
		return inFile(dir, err)
	}
	names, err := f.freeNames(dir, len(shards))
	if err != nil {
		return err
	}
	written := map[string]bool{f.index: true}
	weightMap := map[string]string{}
	for i, shard := range shards {
		for _, t := range shard {
			weightMap[t.Name] = names[i]
		}
		if err == nil {
			err = f.write(filepath.Join(dir, names[i]), shard)
			written[names[i]] = err == nil
		}
	}
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, f.index), 0o644, encodeIndex(tensors, weightMap))
	}
	if err != nil {
		for _, name := range names {
			if written[name] {
				os.Remove(filepath.Join(dir, name)) // nobody has been told of it
			}
		}
		return err
	}
	return f.removeStale(dir, written)
}

// split fills shards in the order of tensors; neither exceeds limit unless a single
// tensor does.
func split(tensors []Tensor, limit int64) (shards [][]Tensor) {
	if limit <= 0 {
		return [][]Tensor{tensors}
	}
	room := int64(0) // in the last shard
	for _, t := range tensors {
		size := int64(t.ByteLen())
		if size > room || len(shards) == 0 {
			shards = append(shards, nil)
			room = limit
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], t)
		room -= size
	}
	return shards
}

// freeNames are names for n shards that no file in dir has.
func (f *family) freeNames(dir string, n int) ([]string, error) {
	for generation := 1; generation < 1000; generation++ {
		stem := f.stem
		if generation > 1 {
			stem += "-" + strconv.Itoa(generation)
		}
		names := make([]string, n)
		free := true
		for i := range names {
			names[i] = fmt.Sprintf("%s-%05d-of-%05d%s", stem, i+1, n, f.end)
			if _, err := os.Lstat(filepath.Join(dir, names[i])); err == nil {
				free = false
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		if free {
			return names, nil
		}
	}
	return nil, fmt.Errorf("%s: no free names for shards; remove the remains of earlier ones (%s)", dir, f.shard)
}

// removeStale removes what belonged to a checkpoint that another has replaced; a single
// file left there would be read in place of the new index. Nothing else is touched.
func (f *family) removeStale(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if (name == f.single || name == f.index || f.shard.MatchString(name)) && !keep[name] {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				errs = append(errs, fmt.Errorf("the new checkpoint is written, but the old one is still there: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// encodeIndex writes the index as Hugging Face's libraries do: sorted, indented by two.
func encodeIndex(tensors []Tensor, weightMap map[string]string) []byte {
	total := 0
	for _, t := range tensors {
		total += t.ByteLen()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"metadata\": {\n    \"total_size\": %d\n  },\n  \"weight_map\": {", total)
	for i, name := range slices.Sorted(maps.Keys(weightMap)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s: %s", appendString(nil, name), appendString(nil, weightMap[name]))
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes()
}
