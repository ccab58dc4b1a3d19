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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	shards := split(tensors, maxShardBytes)
	if len(shards) <= 1 {
		path := filepath.Join(dir, SingleName)
		if err := Write(path, tensors, metadata); err != nil {
			return err
		}
		return removeStale(dir, map[string]bool{SingleName: true})
	}
	// A name that is twice in tensors might land in different shards, where Write sees no fault.
	if _, _, err := plan(tensors, metadata); err != nil {
		return inFile(dir, err)
	}
	names, err := freeNames(dir, len(shards))
	if err != nil {
		return err
	}
	written := map[string]bool{IndexName: true}
	weightMap := map[string]string{}
	for i, shard := range shards {
		for _, t := range shard {
			weightMap[t.Name] = names[i]
		}
		if err == nil {
			err = Write(filepath.Join(dir, names[i]), shard, metadata)
			written[names[i]] = err == nil
		}
	}
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, IndexName), 0o644, encodeIndex(tensors, weightMap))
	}
	if err != nil {
		for _, name := range names {
			if written[name] {
				os.Remove(filepath.Join(dir, name)) // nobody has been told of it
			}
		}
		return err
	}
	return removeStale(dir, written)
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
func freeNames(dir string, n int) ([]string, error) {
	for generation := 1; generation < 1000; generation++ {
		stem := "model"
		if generation > 1 {
			stem += "-" + strconv.Itoa(generation)
		}
		names := make([]string, n)
		free := true
		for i := range names {
			names[i] = fmt.Sprintf("%s-%05d-of-%05d.safetensors", stem, i+1, n)
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
	return nil, fmt.Errorf("%s: no free names for shards; remove the remains of earlier ones (%s)", dir, shardName)
}

var shardName = regexp.MustCompile(`^model(-[0-9]+)?-[0-9]{5}-of-[0-9]{5}\.safetensors$`)

// removeStale removes what belonged to a checkpoint that another has replaced; a single
// file left there would be read in place of the new index. Nothing else is touched.
func removeStale(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if (name == SingleName || name == IndexName || shardName.MatchString(name)) && !keep[name] {
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
