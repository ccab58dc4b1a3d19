package data

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// IndexSuffix is what OpenTSVCached appends to a file's name for its index.
const IndexSuffix = ".idx"

// OpenTSVCached is OpenTSV for files that are large and opened often: it keeps what the
// reading through found in a small file beside it, PATH.idx, and believes that as long as
// the TSV has the size and the time of change that it had then. An index that cannot be
// read or does not fit is made anew; one that cannot be written is an error.
func OpenTSVCached(path string) (*TSV, error) {
	file, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	stamp := fmt.Sprintf("%d\t%d", info.Size(), info.ModTime().UnixNano())
	if records, err := readIndex(path+IndexSuffix, stamp, info.Size()); err == nil {
		if t, err := newTSV(path, file, records, nil); err == nil {
			return t, nil
		}
		if file, err = openPlain(path); err != nil { // newTSV has closed it
			return nil, err
		}
	}
	records, err := scan(file)
	t, err := newTSV(path, file, records, err)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.WriteBytes(path+IndexSuffix, 0o644, encodeIndex(records, stamp)); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// An index is text: a first line with the form's name, the file's stamp and the number of
// records; then for each its line, offset, length and id.
const (
	indexForm = "lxmert-tsv-index-1"
	maxIndex  = 1 << 30 // bytes: ten million pictures
)

func encodeIndex(records []span, stamp string) []byte {
	out := fmt.Appendf(nil, "%s\t%s\t%d\n", indexForm, stamp, len(records))
	for _, r := range records {
		out = fmt.Appendf(out, "%d\t%d\t%d\t%s\n", r.line, r.offset, r.length, r.id)
	}
	return out
}

var errIndex = errors.New("the index does not fit the file")

func readIndex(path, stamp string, size int64) ([]span, error) {
	file, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxIndex))
	if err != nil {
		return nil, err
	}
	return parseIndex(string(text), stamp, size)
}

// parseIndex reads an index for a file of that stamp and size.
func parseIndex(text, stamp string, size int64) ([]span, error) {
	head, rest, _ := strings.Cut(text, "\n")
	count, ok := strings.CutPrefix(head, indexForm+"\t"+stamp+"\t")
	if !ok {
		return nil, errIndex
	}
	var records []span
	end := int64(0)
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		fields := strings.SplitN(line, "\t", 4)
		if len(fields) != 4 || fields[3] == "" || len(fields[3]) > maxID {
			return nil, errIndex
		}
		number, err1 := strconv.Atoi(fields[0])
		offset, err2 := strconv.ParseInt(fields[1], 10, 64)
		length, err3 := strconv.Atoi(fields[2])
		if errors.Join(err1, err2, err3) != nil || number < 1 || offset < end || length < columns || length > maxLine || offset > size-int64(length) {
			return nil, errIndex
		}
		end = offset + int64(length)
		records = append(records, span{id: fields[3], offset: offset, length: length, line: number})
	}
	if count != strconv.Itoa(len(records)) {
		return nil, errIndex
	}
	return records, nil
}
