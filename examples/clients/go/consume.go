package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	offset := "-1" // keep it, and a restart goes on where this run stopped
	for {
		request, err := http.NewRequest("GET", os.Getenv("STREAM")+"?live=long-poll&offset="+offset, nil)
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		var items []struct{ N int }
		switch answer.StatusCode {
		case http.StatusOK:
			if err := json.NewDecoder(answer.Body).Decode(&items); err != nil {
				log.Fatal(err)
			}
		case http.StatusNoContent: // nothing yet: ask again
		default:
			log.Fatal(answer.Status)
		}
		answer.Body.Close()
		for _, item := range items {
			fmt.Println(item.N)
		}
		if answer.Header.Get("Stream-Closed") == "true" {
			return
		}
		offset = answer.Header.Get("Stream-Next-Offset")
	}
}
