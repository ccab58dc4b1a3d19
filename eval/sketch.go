package eval

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// Sketch is a small stand-in for a large set of texts: the lowest of their hashes, which are a random sample of them. Whether another text is in
// the set can be told wherever its hash is below the sketch's last; sets of up to 4,096 are kept whole. It is what a run
// keeps of its training data, so that overlap is seen whatever files are called. In JSON it is at most 44 KB of base64.
type Sketch struct {
	hashes []uint64 // ascending, each once, at most sketchSize
}

const sketchSize = 4096

// sampled reports whether the sketch knows if a text with this hash is in the set.
func (s *Sketch) sampled(hash uint64) bool {
	return len(s.hashes) < sketchSize || hash <= s.hashes[len(s.hashes)-1]
}

func (s *Sketch) has(hash uint64) bool {
	_, found := slices.BinarySearch(s.hashes, hash)
	return found
}

// sketcher gathers hashes; it holds a few times as many as the sketch will.
type sketcher struct {
	hashes []uint64
	limit  uint64 // once there are enough, hashes above it cannot be among the lowest
	full   bool
}

func (s *sketcher) add(hash uint64) {
	if s.full && hash > s.limit {
		return
	}
	s.hashes = append(s.hashes, hash)
	if len(s.hashes) >= 8*sketchSize {
		s.keepLowest()
	}
}

func (s *sketcher) keepLowest() {
	slices.Sort(s.hashes)
	s.hashes = slices.Compact(s.hashes)
	if len(s.hashes) >= sketchSize {
		s.hashes = s.hashes[:sketchSize]
		s.limit, s.full = s.hashes[sketchSize-1], true
	}
}

func (s *sketcher) sketch() *Sketch {
	s.keepLowest()
	return &Sketch{slices.Clone(s.hashes)}
}

// hashOf is a text's place in the random order. Parts are told apart by their lengths.
func hashOf(parts ...string) uint64 {
	var b []byte
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// MarshalJSON writes base64 of the hashes in ascending order, eight bytes each, big-endian.
func (s Sketch) MarshalJSON() ([]byte, error) {
	var b []byte
	for _, hash := range s.hashes {
		b = binary.BigEndian.AppendUint64(b, hash)
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (s *Sketch) UnmarshalJSON(content []byte) error {
	if len(content) > sketchSize*8*4/3+100 {
		return fmt.Errorf("sketch of %d bytes; want at most %d hashes in base64", len(content), sketchSize)
	}
	var text string
	if err := json.Unmarshal(content, &text); err != nil || bytes.Equal(content, []byte("null")) {
		return fmt.Errorf("sketch: found %.20s, want hashes in base64", content)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("sketch: %w", err)
	}
	if len(b)%8 != 0 || len(b) > 8*sketchSize {
		return fmt.Errorf("sketch of %d bytes; want eight for each of at most %d hashes", len(b), sketchSize)
	}
	hashes := make([]uint64, len(b)/8)
	for i := range hashes {
		hashes[i] = binary.BigEndian.Uint64(b[8*i:])
		if i > 0 && hashes[i] <= hashes[i-1] {
			return fmt.Errorf("sketch: hash %d is not above the one before it", i)
		}
	}
	s.hashes = hashes
	return nil
}
