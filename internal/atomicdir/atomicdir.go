// Package atomicdir replaces directories as a whole: whoever looks finds the old one or the new one, complete, whatever happens in between. A
// directory cannot be renamed onto another that holds something, so a replacement takes two renames, and [Recover] ends one
// that was cut off.
//
//	DIR.partial   being written; nothing yet
//	DIR.new       complete, and on the disk; it will be DIR
//	DIR           the present one
//	DIR.old       on its way out
package atomicdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// The names beside a directory that is replaced.
const (
	partial = ".partial"
	next    = ".new"
	old     = ".old"
)

// Write replaces the directory dir by one that write fills. Files must be on the disk when write returns, as atomicfile's are. The old
// directory is renamed to keep, or removed if keep is empty. If write fails, or the disk is full, dir stays as it was.
func Write(dir, keep string, write func(dir string) error) error {
	if err := Recover(dir); err != nil {
		return err
	}
	temp := dir + partial
	if err := os.Mkdir(temp, 0o755); err != nil {
		return err
	}
	if err := write(temp); err != nil {
		os.RemoveAll(temp) // gives the room back; what cannot be removed now will be next time
		return err
	}
	if err := atomicfile.SyncDir(temp); err != nil { // for what is a link in it
		return err
	}
	if err := atomicfile.Rename(temp, dir+next); err != nil {
		return err
	}
	return swap(dir, keep)
}

// Recover ends what a program that was killed had begun, and clears away what it left behind. It must be called before dir is read.
func Recover(dir string) error {
	if _, err := os.Lstat(dir + next); err == nil {
		if err := swap(dir, ""); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(os.RemoveAll(dir+partial), os.RemoveAll(dir+old))
}

// swap puts the complete new directory in the place of the present one.
func swap(dir, keep string) error {
	away := keep
	if away == "" {
		away = dir + old
	}
	if err := os.RemoveAll(away); err != nil {
		return err
	}
	if err := os.Rename(dir, away); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := atomicfile.Rename(dir+next, dir); err != nil {
		return fmt.Errorf("%s: the new directory is complete but has not got its name: %w", dir+next, err)
	}
	return os.RemoveAll(dir + old)
}
