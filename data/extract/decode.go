package extract

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/vision"
)

// read reads a picture's bytes, when there is room for them.
func (p picture) read(room *budget, turn int64) (content []byte, weight int64, err error) {
	file, size, err := p.open()
	if err == nil && size > vision.MaxFileBytes {
		file.Close()
		err = fmt.Errorf("the file has more than %d MB, the most that is read", vision.MaxFileBytes>>20)
	}
	if err != nil {
		room.enter(turn, 0)
		return nil, 0, err
	}
	defer file.Close()
	if !room.enter(turn, size) {
		return nil, 0, errStopped
	}
	// What an archive says of sizes is not believed: memory is taken as bytes come.
	var buffer bytes.Buffer
	buffer.Grow(int(min(size, 1<<20)) + bytes.MinRead)
	n, err := buffer.ReadFrom(io.LimitReader(file, size+1))
	if err == nil && n > size {
		err = fmt.Errorf("the file has more than the %d bytes that it was to have: it is being written to", size)
	}
	if err != nil {
		room.leave(size)
		return nil, 0, err
	}
	return buffer.Bytes(), size, nil
}

// pixels is how much memory a picture's pixels will take, by its header; 0 if vision.Decode will refuse it.
func pixels(content []byte) int64 {
	size, err := vision.StoredSize(content)
	if err != nil {
		return 0
	}
	return 4 * int64(size.Width) * int64(size.Height)
}

// guarded does work on a picture. A panic, of a decoder that somebody else wrote, costs this picture and not all of them.
func guarded(work func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("this program has an error that the picture brings out: %v", broken)
		}
	}()
	return work()
}
