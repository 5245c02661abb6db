"""Dates in English and Arabic, and what pages say about their publication."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.dates import day_in_url, find_date, parse_date


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-12T10:30:15.123+0300", "2024-05-12T10:30:15+03:00"),
        ("2024-05-12 10:30", "2024-05-12T10:30:00"),
        ("20240512T103015Z", "2024-05-12T10:30:15Z"),
        ("Sun, 12 May 2024 10:30:00 GMT", "2024-05-12T10:30:00Z"),
        ("May 12, 2024 3:15 pm", "2024-05-12"),
        ("12.5.2024", "2024-05-12"),
        ("5/13/2024", "2024-05-13"),
        ("13/5/2024", "2024-05-13"),
        ("5/5/2024", "2024-05-05"),
        ("3/4/2024", None),
        ("السبت, 12/06/2025 - 18:03", None),  # the software of some sites puts the month first
        ("2024-02-30", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("1445-05-12", None),
        ("version 2.10.2024.7", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_declared_dates(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("٣ كانون الثاني ٢٠٢٤", "2024-01-03"),
        ("الثلاثاء ٢٦ تشرين الثاني/نوفمبر ٢٠٢٤", "2024-11-26"),
        ("12 أيار (مايو) 2024", "2024-05-12"),
        ("12 آب 2024", "2024-08-12"),
        ("1 فبراير، 2023", "2023-02-01"),
        ("۱۲ مايو ۲۰۲۴", "2024-05-12"),
        ("14 جويلية 2021", "2021-07-14"),
        ("نُشر في 03/04/2024 الساعة 10:00", "2024-04-03"),
        ("5 رمضان 1445 هـ الموافق 15 مارس 2024م", "2024-03-15"),
        ("5 رمضان 1445 هـ", None),
        ("آخر تحديث: 14 مايو 2024", None),
        ("Last updated on 14 May 2024", None),
        ("Updated 14 May 2024. Published 12th of May 2024", "2024-05-12"),
        ("Maybe 12, 2024", None),
        ("112 May 2024", None),
        ("Marching 3 2024 people", None),
    ],
)
def test_datelines(text, day):
    assert find_date(text) == day


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2024/05/12/x", "2024-05-12"),
        ("https://a.example/x/2024-5-2-x", "2024-05-02"),
        ("https://a.example/20240512/x", "2024-05-12"),
        ("https://a.example/2024/05/x", None),
        ("https://a.example/20241512/x", None),
        ("https://a.example/id/202405123", None),
        ("", None),
    ],
)
def test_dates_in_urls(url, day):
    assert day_in_url(url) == day


@given(st.text(st.characters(codec="utf-8")) | st.text("0123456789-/.: TZمايو٢هـ"))
def test_any_text_gives_a_date_or_none(text):
    for found in (parse_date(text), find_date(text)):
        assert found is None or 1900 <= int(found[:4]) < 2100


@given(st.dates(min_value=date(1971, 1, 1), max_value=date(2099, 1, 1)))
def test_iso_dates_stay_as_they_are(day):
    assert parse_date(day.isoformat()) == find_date(f"Cairo, {day}") == day.isoformat()


def page(head: str = "", body: str = "", tmp_path=None):
    (tmp_path / "p.html").write_text(
        f"<html><head>{head}</head><body>{body}<p>Text</p></body></html>"
    )
    return ingest.read(tmp_path / "p.html").select("published", "author").row(0)


def test_json_ld_comes_first_and_names_are_resolved(tmp_path):
    graph = [
        {"@type": "Comment", "datePublished": "2020-01-01", "author": {"name": "Reader"}},
        {"@type": "WebPage", "datePublished": "2021-01-01"},
        {"@type": ["NewsArticle"], "datePublished": "2024-05-12T10:00:00+03:00",
         "author": [{"@id": "#mona"}, {"name": "https://a.example"}]},
        {"@type": "Person", "@id": "#mona", "name": " Mona\nHadi "},
    ]  # fmt: skip
    head = '<meta name="date" content="2024-06-01"><meta name="author" content="Other">'
    script = json.dumps({"@graph": graph}).replace("\\n", "\n")  # not JSON, strictly
    head += f'<script type="application/ld+json">{script}</script>'
    assert page(head, tmp_path=tmp_path) == ("2024-05-12T10:00:00+03:00", "Mona Hadi")


@pytest.mark.parametrize(
    ("head", "body", "published"),
    [
        ('<meta property="article:published_time" content="2024-05-12">', "", "2024-05-12"),
        ('<meta itemprop="datePublished" content="2024-05-12">', "", "2024-05-12"),
        ("", '<span itemprop="datePublished">12 May 2024</span>', "2024-05-12"),
        ('<link rel="canonical" href="https://a.example/2024/05/12/x">',
         '<time class="published" datetime="2009-01-02">', "2024-05-12"),
        ("", '<time class="entry-date" datetime="2024-05-12"></time><time>2 May 2020</time>',
         "2024-05-12"),
        ("", "<time>12 May 2024</time>", "2024-05-12"),
        ("", "<time>12 May 2024</time><time>13 May 2024</time>", None),  # of other pages
        ('<meta name="date" content="soon">', "", None),
        ('<script type="application/ld+json">{"datePublished": 5, "author": 7}</script>', "", None),
    ],
)  # fmt: skip
def test_where_a_page_says_its_date(head, body, published, tmp_path):
    assert page(head, body, tmp_path=tmp_path)[0] == published
