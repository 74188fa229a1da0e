// What the runs in Go share: many clients at once, the line of a check. Copied beside each of them before it is built.
package main

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

var (
	clients       = number("CLIENTS")
	servers       = number("SERVERS")
	inSessionPool = os.Getenv("POOL_MODE") == "session"
	overTLS       = os.Getenv("PGSSLROOTCERT") != ""
)

type check struct {
	name string
	run  func()
}

func number(name string) int {
	value, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		panic(err)
	}
	return value
}

// A check fails by a panic.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func same(got, wanted interface{}) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%.200v, not %.200v", got, wanted))
	}
}

func onMany(count int, work func(number int)) {
	var running sync.WaitGroup
	failures := make(chan interface{}, count)
	for n := 0; n < count; n++ {
		running.Add(1)
		go func(n int) {
			defer running.Done()
			defer func() {
				if failure := recover(); failure != nil {
					failures <- failure
				}
			}()
			work(n)
		}(n)
	}
	running.Wait()
	select {
	case failure := <-failures:
		panic(failure)
	default:
	}
}

// pids: the servers that each client saw while all of them were connected.
func assertShared(pids []int) {
	used := map[int]bool{}
	for _, pid := range pids {
		used[pid] = true
	}
	if len(pids) < clients || len(used) > servers {
		panic(fmt.Sprintf("%d clients used %d servers", len(pids), len(used)))
	}
}

func holds(one check) (passed bool) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Printf("FAILED %s: %s\n", one.name, strings.ReplaceAll(fmt.Sprint(failure), "\n", " "))
		}
	}()
	one.run()
	fmt.Println("ok", one.name)
	return true
}

func runChecks(checks []check) {
	failed := false
	for _, one := range checks {
		failed = !holds(one) || failed
	}
	if failed {
		os.Exit(1)
	}
}
