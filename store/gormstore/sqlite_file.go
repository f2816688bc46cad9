package gormstore

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// fileChecks is the time between two checks of the file.
const fileChecks = time.Second

// databaseFile is the file of a SQLite database. On Unix it can be removed or
// replaced while it is open, and the program would continue with a file that is lost
// when it ends. The zero value is for a database that was not used yet.
type databaseFile struct {
	mutex   sync.Mutex
	path    string // empty if there is no file
	opened  os.FileInfo
	checked time.Time
	missing error
}

// check returns an error if the file is no longer at its path. It reads the file
// system at most once a second.
func (f *databaseFile) check(ctx context.Context, d *database) error {
	if f == nil {
		return nil
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.checked.IsZero() {
		if err := f.find(ctx, d); err != nil {
			return err
		}
	} else if f.path != "" && time.Since(f.checked) >= fileChecks {
		f.missing, f.checked = f.compare(), time.Now()
	}
	return f.missing
}

// find finds the file of the database. A name without a file belongs to a virtual
// file system of the host's driver.
func (f *databaseFile) find(ctx context.Context, d *database) error {
	var path string
	if err := d.pool().QueryRowContext(ctx, d.sql(d.dialect.identity)).Scan(&path); err != nil {
		return err
	}
	if opened, err := os.Stat(path); err == nil {
		f.path, f.opened = path, opened
	}
	f.checked = time.Now()
	return nil
}

// compare returns an error if the file at the path is not the one that was opened.
func (f *databaseFile) compare() error {
	current, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("the database's file was removed while it was open; restart the program: %w", err)
	}
	if !os.SameFile(f.opened, current) {
		return fmt.Errorf("the database's file %s was replaced while it was open; restart the program", f.path)
	}
	return nil
}
