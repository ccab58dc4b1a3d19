package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Part is one of Of parts into which images are divided by their ids, so that as many processes can share the work without talking to each other.
// Index counts from 0. The zero Part stands for everything, undivided.
type Part struct{ Index, Of int }

// MaxParts is into how many parts images may be divided.
const MaxParts = 100_000

// ParsePart reads "3/8", part 3 of 8 counted from 0: as Slurm's SLURM_ARRAY_TASK_ID and Kubernetes' JOB_COMPLETION_INDEX count.
func ParsePart(text string) (Part, error) {
	index, of, ok := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err != nil || err2 != nil {
		return Part{}, fmt.Errorf("part: found %q, want i/n such as 0/8", text)
	}
	p := Part{i, n}
	return p, p.check()
}

func (p Part) check() error {
	switch {
	case p.Of < 1 || p.Of > MaxParts:
		return fmt.Errorf("part %v: found %d parts, want 1 to %d", p, p.Of, MaxParts)
	case p.Index < 0 || p.Index >= p.Of:
		return fmt.Errorf("part %v: parts count from 0, want 0/%d to %d/%d", p, p.Of, p.Of-1, p.Of)
	}
	return nil
}

// String is as ParsePart reads it; "" for the zero Part.
func (p Part) String() string {
	if p.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.Index, p.Of)
}

// IsZero says that nothing is divided.
func (p Part) IsZero() bool { return p == Part{} }

// Has says whether an image belongs to the part. The zero Part has all.
func (p Part) Has(id string) bool { return p.Of == 0 || PartOf(id, p.Of) == p.Index }

// PartOf says to which of n parts an image belongs, by its id alone: the first eight bytes of the id's SHA-256, as a number with the
// highest byte first, modulo n. In Python: int.from_bytes(hashlib.sha256(id.encode()).digest()[:8]) % n. It is 0 for n below 1.
func PartOf(id string, n int) int {
	if n < 1 {
		return 0
	}
	hash := sha256.Sum256([]byte(id))
	return int(binary.BigEndian.Uint64(hash[:8]) % uint64(n))
}

// FileSuffix is what stands in the names of a part's files: "part-00003-of-00008".
func (p Part) FileSuffix() string { return "part-" + p.numbers() }

func (p Part) numbers() string { return fmt.Sprintf("%05d-of-%05d", p.Index, p.Of) }

// ParsePartSuffix reads what FileSuffix writes, and nothing else.
func ParsePartSuffix(text string) (p Part, ok bool) {
	numbers, ok := strings.CutPrefix(text, "part-")
	if !ok {
		return Part{}, false
	}
	index, of, _ := strings.Cut(numbers, "-of-")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	p = Part{i, n}
	if err != nil || err2 != nil || p.check() != nil || p.FileSuffix() != text {
		return Part{}, false
	}
	return p, true
}

// manifestName is the name of the file that says what a store, or a part of one, has.
func (p Part) manifestName() string {
	if p.IsZero() {
		return ManifestName
	}
	return p.FileSuffix() + ".json"
}

// lockName is the name of the file that lets one writer in.
func (p Part) lockName() string {
	if p.IsZero() {
		return ".lock"
	}
	return "." + p.FileSuffix() + ".lock"
}

// shardPrefix begins the names of its shards' files.
func (p Part) shardPrefix() string {
	if p.IsZero() {
		return "regions-"
	}
	return "regions-" + p.numbers() + "-"
}

// partOfFile says to which part of a store a file in its directory belongs; the zero Part if to none.
func partOfFile(name string) Part {
	text, ok := strings.CutSuffix(name, ".json")
	if rest, shard := strings.CutPrefix(name, "regions-"); shard {
		cut := strings.LastIndexByte(rest, '-') // before the shard's number
		if ok = cut >= 0; ok {
			text = "part-" + rest[:cut]
		}
	}
	if !ok {
		return Part{}
	}
	p, _ := ParsePartSuffix(text)
	return p
}
