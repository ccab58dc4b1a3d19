package data

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// A shardWriter writes one shard: the safetensors file, which has no header that could be read before it is
// complete, and beside it a journal, a line for each image, from which a later program learns what is in it.
type shardWriter struct {
	dir     string
	name    string // without .safetensors
	width   int
	dtype   checkpoint.DType
	stream  *checkpoint.Stream
	journal *os.File
	images  []indexEntry
	has     map[string]bool
	regions int
}

// A journalLine says where an image is. The checksum tells whether a power cut has swallowed its bytes.
type journalLine struct {
	ID      string `json:"id"`
	Begin   int    `json:"begin"`
	Regions int    `json:"regions"`
	Flags   int    `json:"flags"`
	CRC     uint32 `json:"crc32c"`
}

// A journalHead is the journal's first line: what the images after it are.
type journalHead struct {
	Width    int    `json:"feature_width"`
	DType    string `json:"dtype"`
	Preset   string `json:"preset"`
	Detector string `json:"detector"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s *shardWriter) path() string { return filepath.Join(s.dir, s.name+".safetensors") }

func (s *shardWriter) journalPath() string { return filepath.Join(s.dir, s.name+".journal") }

func (w *StoreWriter) shardWriter() *shardWriter {
	name := fmt.Sprintf("%s%05d", w.part.shardPrefix(), len(w.manifest.Shards)+1)
	return &shardWriter{dir: w.dir, name: name, width: w.manifest.FeatureWidth, dtype: w.manifest.dtype(), has: map[string]bool{}}
}

func (w *StoreWriter) metadata() map[string]string {
	m := w.manifest
	return map[string]string{
		"format": "pt", "lxmert_format": fmt.Sprintf("%s %d", storeFormat, storeMajor),
		"preset": m.Preset, "detector": m.Detector, "feature_width": fmt.Sprint(m.FeatureWidth),
	}
}

// newShard begins a shard whose first image will be this one: if all are like it, the room set aside for the
// header is enough.
func (w *StoreWriter) newShard(id string, r vision.Regions) (*shardWriter, error) {
	s := w.shardWriter()
	parts, size := imageLayout(id, r.Len(), r.FeatureWidth, s.dtype, flagsOf(r))
	described := 0
	for _, p := range parts {
		described += len(p.Name) + len(`"":{"dtype":"F16","shape":[1024,2048],"data_offsets":[,]},`) + 2*len(fmt.Sprint(w.options.ShardBytes))
	}
	room := 4096 + float64(w.options.ShardBytes+int64(size))/float64(size)*float64(described)*1.125
	var err error
	if s.stream, err = checkpoint.CreateStream(s.path(), int(min(room, 90e6)), w.metadata()); err != nil {
		return nil, err
	}
	if s.journal, err = os.Create(s.journalPath()); err != nil {
		s.discard()
		return nil, err
	}
	return s, s.note(journalHead{s.width, s.dtype.String(), w.manifest.Preset, w.manifest.Detector})
}

func (s *shardWriter) note(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = s.journal.Write(append(text, '\n'))
	return err
}

// add writes an image's bytes, then its line.
func (s *shardWriter) add(id string, regions, flags int, content []byte) error {
	e := indexEntry{id: id, begin: int(s.stream.Size()), regions: regions, flags: flags}
	parts, _ := imageLayout(id, regions, s.width, s.dtype, flags)
	tensors := make([]checkpoint.Tensor, len(parts))
	for i, p := range parts {
		tensors[i] = checkpoint.Tensor{Name: p.Name, DType: p.DType, Shape: p.Shape, Data: content[p.Begin : p.Begin+p.ByteLen()]}
	}
	if err := s.stream.Add(tensors...); err != nil {
		return err
	}
	s.remember(e)
	return s.note(journalLine{id, e.begin, regions, flags, crc32.Checksum(content, castagnoli)})
}

func (s *shardWriter) remember(e indexEntry) {
	s.images = append(s.images, e)
	s.has[e.id] = true
	s.regions += e.regions
}

// finish completes the shard's files; the journal stays until the manifest tells of them.
func (s *shardWriter) finish() (Shard, error) {
	about := Shard{File: s.name + ".safetensors", Index: s.name + ".index", Images: len(s.images), Regions: s.regions}
	if err := writeIndex(filepath.Join(s.dir, about.Index), s.images); err != nil {
		return about, err
	}
	if err := s.stream.Commit(); err != nil {
		return about, err
	}
	if err := s.journal.Close(); err != nil {
		return about, err
	}
	info, err := os.Stat(s.path())
	if err != nil {
		return about, err
	}
	about.Bytes = info.Size()
	if about.SHA256, err = sha256File(s.path()); err != nil {
		return about, err
	}
	about.IndexSHA256, err = sha256File(filepath.Join(s.dir, about.Index))
	return about, err
}

func (s *shardWriter) suspend() {
	if s.stream != nil {
		s.stream.Suspend()
	}
	if s.journal != nil {
		s.journal.Close()
	}
}

func (s *shardWriter) discard() {
	s.suspend()
	os.Remove(s.path() + checkpoint.PartialSuffix)
	os.Remove(s.journalPath())
}

// resume goes on with the shard that an earlier writer left unfinished, if there is one.
func (w *StoreWriter) resume() error {
	s := w.shardWriter()
	text, err := os.ReadFile(s.journalPath())
	if errors.Is(err, fs.ErrNotExist) {
		os.Remove(s.path() + checkpoint.PartialSuffix) // killed before it had a journal
		return nil
	}
	if err != nil {
		return err
	}
	partial := s.path() + checkpoint.PartialSuffix
	if _, err := os.Stat(partial); errors.Is(err, fs.ErrNotExist) {
		// Killed between the shard's last rename and the manifest's: it is complete, but nobody has been told.
		if err := os.Rename(s.path(), partial); errors.Is(err, fs.ErrNotExist) {
			return os.Remove(s.journalPath())
		} else if err != nil {
			return err
		}
	}
	head, lines, ok := parseJournal(text)
	if !ok {
		s.discard()
		return nil
	}
	if err := w.agreeHead(head); err != nil {
		return err
	}
	s.width = w.manifest.FeatureWidth
	file, err := os.Open(partial)
	if err != nil {
		return err
	}
	lines = intact(file, s.width, s.dtype, lines)
	file.Close()
	if len(lines) == 0 {
		s.discard()
		return nil
	}
	return w.continueShard(s, head, lines)
}

// agreeHead is agree for a shard that no manifest tells of.
func (w *StoreWriter) agreeHead(head journalHead) error {
	m := w.manifest
	if m.FeatureWidth == 0 {
		m.FeatureWidth = head.Width
	}
	before := Manifest{Preset: head.Preset, Detector: head.Detector, DType: head.DType}
	if err := w.options.agree(w.called(), before); err != nil {
		return err
	}
	if m.FeatureWidth != head.Width || head.Width < 1 || head.Width > maxWidth {
		return fmt.Errorf("%s: an unfinished shard has features %d numbers wide, want %d", w.dir, head.Width, m.FeatureWidth)
	}
	if m.Preset == "" {
		m.Preset = head.Preset
	}
	w.manifest = m
	return nil
}

// continueShard opens shard and journal after the images in lines.
func (w *StoreWriter) continueShard(s *shardWriter, head journalHead, lines []journalLine) error {
	var parts []checkpoint.Part
	for _, l := range lines {
		of, _ := imageLayout(l.ID, l.Regions, s.width, s.dtype, l.Flags)
		for _, p := range of {
			p.Begin += l.Begin
			parts = append(parts, p)
		}
		s.remember(indexEntry{l.ID, l.Begin, l.Regions, l.Flags})
	}
	var err error
	if s.stream, err = checkpoint.ResumeStream(s.path(), w.metadata(), parts); err != nil {
		return err
	}
	if s.journal, err = os.Create(s.journalPath() + ".new"); err != nil {
		s.suspend()
		return err
	}
	err = s.note(head)
	for _, l := range lines {
		err = errors.Join(err, s.note(l))
	}
	if err == nil {
		err = os.Rename(s.journalPath()+".new", s.journalPath())
	}
	if err != nil {
		s.suspend()
		return err
	}
	w.shard = s
	return nil
}

// parseJournal reads as many lines as make sense; the last may be half written.
func parseJournal(text []byte) (head journalHead, lines []journalLine, ok bool) {
	first, rest, found := bytes.Cut(text, []byte{'\n'})
	if !found || json.Unmarshal(first, &head) != nil {
		return head, nil, false
	}
	seen := map[string]bool{}
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		var l journalLine
		if !found || json.Unmarshal(line, &l) != nil || checkID(l.ID) != nil || seen[l.ID] ||
			l.Regions < 1 || l.Regions > vision.MaxRegions || l.Flags&^knownFlags != 0 {
			return head, lines, true
		}
		seen[l.ID] = true
		lines = append(lines, l)
		rest = after
	}
}

// intact are the lines whose bytes follow each other in the file and have the checksums noted.
func intact(file *os.File, width int, dtype checkpoint.DType, lines []journalLine) []journalLine {
	var length [8]byte
	if _, err := io.ReadFull(file, length[:]); err != nil {
		return nil
	}
	if _, err := file.Seek(int64(binary.LittleEndian.Uint64(length[:])), io.SeekCurrent); err != nil {
		return nil
	}
	r := bufio.NewReaderSize(file, 1<<20)
	at := 0
	var content []byte
	for i, l := range lines {
		size := imageSize(l.Regions, width, dtype, l.Flags)
		content = resized(content, size)
		if _, err := io.ReadFull(r, content); l.Begin != at || err != nil || crc32.Checksum(content, castagnoli) != l.CRC {
			return lines[:i]
		}
		at += size
	}
	return lines
}
