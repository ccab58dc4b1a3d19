package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// A pictureFile is a picture and what it is called: its file's name without its type.
type pictureFile struct{ id, path string }

// pictureFiles are the files that paths name, and the pictures in directories. The error says that one is not there, or that two are called the same.
func pictureFiles(paths []string) ([]pictureFile, error) {
	var all []pictureFile
	seen := map[string]string{}
	for _, path := range paths {
		files, err := picturesAt(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name := filepath.Base(file)
			id := strings.TrimSuffix(name, filepath.Ext(name))
			if other, ok := seen[id]; ok {
				return nil, fmt.Errorf("%s: its id would be %s, as that of %s: rename one", plain(file), plain(id), plain(other))
			}
			seen[id] = file
			all = append(all, pictureFile{id, file})
		}
	}
	return all, nil
}

// picturesAt are the pictures in a directory, or the one file.
func picturesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && isPicture(e.Name()) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: found no pictures in it, want files that end in %s", path, strings.Join(vision.FileTypes(), ", "))
	}
	return files, nil
}

// isPicture says whether a file is called as pictures are.
func isPicture(name string) bool {
	return slices.Contains(vision.FileTypes(), strings.ToLower(filepath.Ext(name)))
}
