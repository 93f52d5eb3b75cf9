//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Clean ends whatever lab there is, also one whose maker was killed in the
// middle: processes that were noted, by PID and start time; namespaces, mounts
// and files by the names that only a lab has. Without a lab it does nothing.
func Clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, downWithin)
	defer cancel()
	s, err := loadState()
	if errors.Is(err, os.ErrNotExist) {
		// Nothing was noted; network and disks are made only afterwards.
		s, err = state{NetnsMounted: true}, nil
		if _, gone := os.Lstat(Dir); errors.Is(gone, os.ErrNotExist) {
			return dropAllNetworks(ctx, true)
		}
	}
	if err != nil {
		return err
	}
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	return clean(ctx, s)
}

// clean does it, in an order in which it can be done again after an error.
func clean(ctx context.Context, s state) error {
	for i := range s.Hosts {
		if err := kill(ctx, &s.Hosts[i]); err != nil {
			return err
		}
	}
	if err := dropAllNetworks(ctx, s.NetnsMounted); err != nil {
		return err
	}
	if err := dropDisks(); err != nil {
		return err
	}
	return removeDir()
}

// removeDir removes Dir once nothing is mounted below it any more: else the
// removal would go through a mount.
func removeDir() error {
	points, err := mountPoints()
	if err != nil {
		return err
	}
	for _, p := range points {
		if strings.HasPrefix(p, Dir+"/") {
			return fmt.Errorf("%s is still mounted; unmount it and run down again", p)
		}
	}
	return os.RemoveAll(Dir)
}
