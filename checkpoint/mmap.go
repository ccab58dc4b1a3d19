package checkpoint

import (
	"os"

	"github.com/go-lxmert/lxmert/internal/mapfile"
)

// mapFile is the loader that maps.
func mapFile(file *os.File, size int) (*mapping, error) {
	m, err := mapfile.Map(file, size)
	if err != nil {
		return nil, err
	}
	return &mapping{data: m.Data, close: func([]byte) error { return m.Close() }, drop: mapfile.Drop}, nil
}
