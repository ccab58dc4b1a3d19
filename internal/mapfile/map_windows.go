package mapfile

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile: Windows lets nobody replace or delete the file until it is unmapped.
func mapFile(file *os.File, size int) (*Mapping, error) {
	section, err := windows.CreateFileMapping(windows.Handle(file.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("CreateFileMapping: %w", err)
	}
	defer windows.CloseHandle(section) // the view keeps the section
	at, err := windows.MapViewOfFile(section, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, fmt.Errorf("MapViewOfFile: %w", err)
	}
	// The address is not Go memory: the detour over a pointer's pointer is how vet is told.
	data := unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), size)
	return &Mapping{Data: data, unmap: func() error { return windows.UnmapViewOfFile(at) }}, nil
}

// Drop does nothing on this platform.
func Drop([]byte) {}
