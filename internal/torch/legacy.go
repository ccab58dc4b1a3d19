package torch

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

// legacy reads the format before PyTorch 1.6: five pickles (a number to know it by, the version, the machine that
// wrote it, the object, the storages' keys), and each storage as its number of elements and their bytes.
func (r *reader) legacy() (any, error) {
	rest := r.content
	var parts [5]any
	for i, what := range []string{"magic number", "version", "system", "object", "storages"} {
		v, size, err := r.load(rest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		parts[i], rest = v, rest[size:]
		if i == 2 {
			if err := checkHead(parts[:3]); err != nil {
				return nil, err
			}
		}
	}
	keys, ok := parts[4].(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("storages: found %s, want a list of their keys", kind(parts[4]))
	}
	return parts[3], r.readStorages(keys.Values, rest)
}

func checkHead(parts []any) error {
	if magic, ok := parts[0].(*pickle.Long); !ok || string(magic.Bytes) != legacyMagic && magic.Digits != legacyDigits {
		return errors.New("magic number: found another one than PyTorch's")
	}
	if version := parts[1]; version != int64(1001) {
		if n, ok := version.(int64); ok {
			return fmt.Errorf("version: found %d, want 1001", n)
		}
		return fmt.Errorf("version: found %s, want 1001", kind(version))
	}
	system, ok := parts[2].(*pickle.Dict)
	if !ok {
		return fmt.Errorf("system: found %s, want a dict", kind(parts[2]))
	}
	for _, p := range system.Pairs {
		if key, _ := pickle.Text(p.Key); key == "little_endian" && p.Value != true {
			return errors.New("the file was written on a big-endian machine, which is not read")
		}
	}
	return nil
}

// readStorages finds the storages' bytes, which come in the order of the keys.
func (r *reader) readStorages(keys []any, rest []byte) error {
	for _, v := range keys {
		key, ok := pickle.Text(v)
		s := r.storages[key]
		switch {
		case !ok || s == nil:
			return fmt.Errorf("storage %s: no tensor says of which type it is", show(key))
		case s.found:
			return fmt.Errorf("storage %s is there twice", show(key))
		case len(rest) < 8:
			return fmt.Errorf("storage %s: the file is cut off", show(key))
		}
		count := binary.LittleEndian.Uint64(rest)
		rest = rest[8:]
		if count != uint64(s.count) {
			return fmt.Errorf("storage %s has %d elements, want %d", show(key), count, s.count)
		}
		if s.count > len(rest)/s.width {
			return fmt.Errorf("storage %s: found %d bytes, want %d: the file is cut off", show(key), len(rest), s.count*s.width)
		}
		size := s.count * s.width
		s.data, s.found = rest[:size:size], true
		rest = rest[size:]
	}
	return nil
}
