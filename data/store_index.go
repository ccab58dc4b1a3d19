package data

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// The index of a shard is a safetensors file too: columns, a row for each image, sorted by the hash of its id.
//
//	hash     U64 [images]     FNV-1a (64 bits) of the id
//	begin    I64 [images]     where its tensors begin in the shard, counted from the end of the header
//	name     I64 [images+1]   where its id begins in names; the last is the length of names
//	order    U32 [images]     when it was written, from 0
//	regions  U16 [images]
//	flags    U8  [images]     1: has objects, 2: attributes, 4: size
//	names    U8  [bytes]      the ids, one after the other
//
// It follows from the shard's header (indexOf); to read that instead takes seven seconds for 100,000 images.
type storeIndex struct {
	path                                            string
	file                                            *checkpoint.File
	hash, begin, name, order, regions, flags, names []byte
}

// An indexEntry is a row.
type indexEntry struct {
	id      string
	begin   int
	regions int
	flags   int
}

var indexColumns = []struct {
	name  string
	dtype checkpoint.DType
	more  int // rows beyond one for each image
}{
	{"hash", checkpoint.U64, 0}, {"begin", checkpoint.I64, 0}, {"name", checkpoint.I64, 1},
	{"order", checkpoint.U32, 0}, {"regions", checkpoint.U16, 0}, {"flags", checkpoint.U8, 0},
}

func idHash(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// checkID says whether an image id can name tensors: JSON wants UTF-8. It may be a path: an id is what stands before the last slash of ID/features.
func checkID(id string) error {
	switch {
	case id == "" || len(id) > maxID:
		return fmt.Errorf("image id %s has %d bytes, want 1 to %d", excerpt([]byte(id)), len(id), maxID)
	case strings.ToValidUTF8(id, "") != id:
		return fmt.Errorf("image id %q is not UTF-8 text", id)
	}
	return nil
}

// cutID divides the name of a tensor, ID/features, into the image's id and what it has of the image.
func cutID(tensor string) (id, name string, ok bool) {
	at := strings.LastIndexByte(tensor, '/')
	if at < 0 {
		return "", tensor, false
	}
	return tensor[:at], tensor[at+1:], true
}

// writeIndex writes the index of images in the order in which they were written.
func writeIndex(path string, images []indexEntry) error {
	tensors, err := indexTensors(images)
	if err != nil {
		return err
	}
	return checkpoint.Write(path, tensors, map[string]string{"format": "lxmert region index 1"})
}

func indexTensors(images []indexEntry) ([]checkpoint.Tensor, error) {
	order := make([]int, len(images))
	hashes := make([]uint64, len(images))
	for i, e := range images {
		order[i], hashes[i] = i, idHash(e.id)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(hashes[a], hashes[b]), cmp.Compare(images[a].id, images[b].id))
	})
	columns := make([][]byte, len(indexColumns))
	var names []byte
	for at, i := range order {
		e := images[i]
		if at > 0 && images[order[at-1]].id == e.id {
			return nil, fmt.Errorf("image %s is there twice, want each once", plain(e.id))
		}
		columns[0] = binary.LittleEndian.AppendUint64(columns[0], hashes[i])
		columns[1] = binary.LittleEndian.AppendUint64(columns[1], uint64(e.begin))
		columns[2] = binary.LittleEndian.AppendUint64(columns[2], uint64(len(names)))
		columns[3] = binary.LittleEndian.AppendUint32(columns[3], uint32(i))
		columns[4] = binary.LittleEndian.AppendUint16(columns[4], uint16(e.regions))
		columns[5] = append(columns[5], byte(e.flags))
		names = append(names, e.id...)
	}
	columns[2] = binary.LittleEndian.AppendUint64(columns[2], uint64(len(names)))
	tensors := []checkpoint.Tensor{{Name: "names", DType: checkpoint.U8, Shape: []int{len(names)}, Data: append([]byte{}, names...)}}
	for i, c := range indexColumns {
		tensors = append(tensors, checkpoint.Tensor{Name: c.name, DType: c.dtype, Shape: []int{len(images) + c.more}, Data: append([]byte{}, columns[i]...)})
	}
	return tensors, nil
}

// openIndex maps an index. Its rows are checked when they are used.
func openIndex(path string) (*storeIndex, error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	x := &storeIndex{path: path, file: file}
	if err := x.columns(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

func (x *storeIndex) columns() error {
	names, ok := x.file.Tensor("names")
	if !ok || names.DType != checkpoint.U8 {
		return errors.New("tensor names is missing or not U8: this is no index of a region store")
	}
	x.names = names.Data
	images := -1
	for i, into := range []*[]byte{&x.hash, &x.begin, &x.name, &x.order, &x.regions, &x.flags} {
		c := indexColumns[i]
		t, ok := x.file.Tensor(c.name)
		if !ok || t.DType != c.dtype || len(t.Shape) != 1 {
			return fmt.Errorf("tensor %s is missing or not %s with one dimension: this is no index of a region store", c.name, c.dtype)
		}
		if images < 0 {
			images = t.Shape[0]
		}
		if t.Shape[0] != images+c.more {
			return fmt.Errorf("tensor %s is %v, want [%d]", c.name, t.Shape, images+c.more)
		}
		*into = t.Data
	}
	return nil
}

func (x *storeIndex) close() error { return x.file.Close() }

func (x *storeIndex) len() int { return len(x.flags) }

// find searches by hash.
func (x *storeIndex) find(hash uint64, id string) (indexEntry, bool) {
	n := x.len()
	for i := sort.Search(n, func(i int) bool { return x.hashAt(i) >= hash }); i < n && x.hashAt(i) == hash; i++ {
		if string(x.nameAt(i)) == id {
			return x.entry(i, id), true
		}
	}
	return indexEntry{}, false
}

func (x *storeIndex) hashAt(i int) uint64 { return binary.LittleEndian.Uint64(x.hash[8*i:]) }

// nameAt is the id of row i; nil if the index is damaged there.
func (x *storeIndex) nameAt(i int) []byte {
	from, to := binary.LittleEndian.Uint64(x.name[8*i:]), binary.LittleEndian.Uint64(x.name[8*i+8:])
	if from > to || to > uint64(len(x.names)) || to-from > maxID {
		return nil
	}
	return x.names[from:to]
}

// entry is row i. What it says of the shard's bytes is checked when they are used; a number of regions beyond
// the limit becomes 0, which no image has.
func (x *storeIndex) entry(i int, id string) indexEntry {
	e := indexEntry{
		id:      id,
		begin:   int(binary.LittleEndian.Uint64(x.begin[8*i:])),
		regions: int(binary.LittleEndian.Uint16(x.regions[2*i:])),
		flags:   int(x.flags[i]) & knownFlags,
	}
	if e.regions > vision.MaxRegions {
		e.regions = 0
	}
	return e
}

// ids are the ids in the order of writing.
func (x *storeIndex) ids() []string {
	out := make([]string, x.len())
	for i := range out {
		if at := binary.LittleEndian.Uint32(x.order[4*i:]); int64(at) < int64(len(out)) {
			out[at] = string(x.nameAt(i))
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return id == "" }) // of a damaged index
}

// indexOf derives the index from the header of a shard: the specification of what writeIndex is given.
func indexOf(parts []checkpoint.Part, width int, dtype checkpoint.DType) ([]indexEntry, error) {
	var images []indexEntry
	for len(parts) > 0 {
		id, _, ok := cutID(parts[0].Name)
		if !ok || checkID(id) != nil {
			return nil, fmt.Errorf("tensor %s: want ID/features and the like", plain(parts[0].Name))
		}
		of := 0
		names := map[string]checkpoint.Part{}
		for ; of < len(parts); of++ {
			image, name, _ := cutID(parts[of].Name)
			if image != id {
				break
			}
			names[name] = parts[of]
		}
		features, ok := names["features"]
		if !ok || len(features.Shape) != 2 || features.Shape[1] != width || features.DType != dtype {
			return nil, fmt.Errorf("image %s: features are %s %v, want %s [regions, %d]", plain(id), features.DType, features.Shape, dtype, width)
		}
		e := indexEntry{id: id, begin: parts[0].Begin, regions: features.Shape[0]}
		for name, flag := range map[string]int{"object_ids": hasObjects, "attribute_ids": hasAttributes, "size": hasSize} {
			if _, ok := names[name]; ok {
				e.flags |= flag
			}
		}
		if e.regions < 1 || e.regions > vision.MaxRegions {
			return nil, fmt.Errorf("image %s: %d regions, want 1 to %d", plain(id), e.regions, vision.MaxRegions)
		}
		want, _ := imageLayout(id, e.regions, width, dtype, e.flags)
		for i, w := range want {
			w.Begin += e.begin
			if i >= of || parts[i].Name != w.Name || parts[i].DType != w.DType || !slices.Equal(parts[i].Shape, w.Shape) || parts[i].Begin != w.Begin {
				return nil, fmt.Errorf("image %s: want %s %s %v at byte %d", plain(id), plain(w.Name), w.DType, w.Shape, w.Begin)
			}
		}
		if of != len(want) {
			return nil, fmt.Errorf("image %s: tensor %s has no place in a store", plain(id), plain(parts[len(want)].Name))
		}
		images = append(images, e)
		parts = parts[of:]
	}
	return images, nil
}
