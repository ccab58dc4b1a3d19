package torch

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// maxDirectory is how many bytes of an archive's directory are read: enough for two hundred thousand storages.
const maxDirectory = 16 << 20

// zip reads PyTorch's zip format: NAME/data.pkl, and the storages as NAME/data/KEY.
func (r *reader) zip() (any, error) {
	members, err := r.members()
	if err != nil {
		return nil, err
	}
	name, err := archiveName(members)
	if err != nil {
		return nil, err
	}
	if order := members[name+"byteorder"]; order != nil {
		text, err := r.member(order)
		if err != nil {
			return nil, err
		}
		if string(bytes.TrimSpace(text)) != "little" {
			return nil, fmt.Errorf("member %s: found %.20q, want \"little\": files of big-endian machines are not read", show(order.Name), text)
		}
	}
	text, err := r.member(members[name+"data.pkl"])
	if err != nil {
		return nil, err
	}
	r.find = func(key string) ([]byte, error) {
		f := members[name+"data/"+key]
		if f == nil {
			return nil, fmt.Errorf("found no member %s", show(name+"data/"+key))
		}
		return r.member(f)
	}
	top, _, err := r.load(text)
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", show(name+"data.pkl"), err)
	}
	return top, nil
}

// members reads the directory. Names are only compared, never taken for paths.
func (r *reader) members() (map[string]*zip.File, error) {
	from := &metered{r: bytes.NewReader(r.content), left: maxDirectory}
	archive, err := zip.NewReader(from, int64(len(r.content)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	from.left = math.MaxInt
	members := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		if members[f.Name] != nil {
			return nil, fmt.Errorf("member %s is there twice", show(f.Name))
		}
		members[f.Name] = f
	}
	return members, nil
}

// archiveName is what stands before data.pkl, which PyTorch makes of the file's name.
func archiveName(members map[string]*zip.File) (string, error) {
	var found []string
	for name := range members {
		if name == "data.pkl" || strings.HasSuffix(name, "/data.pkl") {
			found = append(found, strings.TrimSuffix(name, "data.pkl"))
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("found a zip file of %d members without data.pkl, want a file of torch.save", len(members))
	case len(found) > 1:
		return "", fmt.Errorf("found members %s and %s, want one", show(min(found[0], found[1])+"data.pkl"), show(max(found[0], found[1])+"data.pkl"))
	case members[found[0]+"constants.pkl"] != nil:
		return "", errors.New("found a TorchScript archive, which holds a program: want the state_dict, saved by torch.save")
	}
	return found[0], nil
}

// member is a member's bytes: a view of the file, or a copy of what was compressed. What the directory says is
// compared with the file; checksums are not, as in PyTorch, except where something was compressed.
func (r *reader) member(f *zip.File) ([]byte, error) {
	data, err := r.memberBytes(f)
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", show(f.Name), err)
	}
	return data, nil
}

func (r *reader) memberBytes(f *zip.File) ([]byte, error) {
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		return nil, errors.New("is encrypted")
	}
	switch f.Method {
	case zip.Store:
		at, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("its header is not in the file: %w", err)
		}
		size, total := f.CompressedSize64, uint64(len(r.content))
		if f.UncompressedSize64 != size || at < 0 || uint64(at) > total || size > total-uint64(at) {
			return nil, fmt.Errorf("has %d bytes from byte %d, in a file of %d", size, at, total)
		}
		end := uint64(at) + size
		return r.content[at:end:end], nil
	case zip.Deflate:
		return r.unpack(f)
	}
	return nil, fmt.Errorf("is compressed by method %d, want it stored, as torch.save does", f.Method)
}

// unpack reads a compressed member. All together may have no more bytes than weights that were compressed have.
func (r *reader) unpack(f *zip.File) ([]byte, error) {
	limit := uint64(len(r.content))*growth + extraBytes
	if f.UncompressedSize64 > limit-uint64(r.unpacked) {
		return nil, fmt.Errorf("is compressed, from %d bytes to %d: with the others too much for a file of %d bytes; write it again without compression", f.UncompressedSize64, f.CompressedSize64, len(r.content))
	}
	r.unpacked += int(f.UncompressedSize64)
	from, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer from.Close()
	var out bytes.Buffer // grows with what comes
	if _, err := io.Copy(&out, io.LimitReader(from, int64(f.UncompressedSize64)+1)); err != nil {
		return nil, err
	}
	if uint64(out.Len()) != f.UncompressedSize64 {
		return nil, fmt.Errorf("found %d bytes, want %d", out.Len(), f.UncompressedSize64)
	}
	return out.Bytes(), nil
}

// metered gives up after so many bytes.
type metered struct {
	r    io.ReaderAt
	left int
}

func (m *metered) ReadAt(b []byte, at int64) (int, error) {
	n, err := m.r.ReadAt(b, at)
	if m.left -= n; m.left < 0 {
		return 0, fmt.Errorf("the archive's directory has more than %d bytes", maxDirectory)
	}
	return n, err
}
