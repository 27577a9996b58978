"""What the sample company sells."""

from __future__ import annotations

import math

from customer_tiering.sample.company import Company, Product

# category, product type, typical price in CNY, names
CATEGORIES = [
    ("Groceries", "product", 45, "龙井茶叶;Coffee beans;Olive oil;坚果礼盒;Honey"),
    ("Beauty", "product", 130, "Hand cream;面膜;Perfume;Shampoo;口红"),
    ("Books", "product", 55, "Cookbook;儿童绘本;Atlas;Notebook;Novel"),
    ("Clothing", "product", 230, "T-shirt;羽绒服;Scarf;Jeans;Trainers"),
    ("Home", "product", 280, "Lamp;保温杯;Rug;Bed linen;Frying pan"),
    ("Sports", "product", 340, "Yoga mat;羽毛球拍;Tent;Bicycle helmet;Running shoes"),
    ("Toys", "product", 120, "Building blocks;拼图;Kite;Board game;Robot kit"),
    ("Electronics", "product", 1300, "Headphones;智能手表;Tablet;Camera;Speaker"),
    ("Office", "product", 420, "Desk chair;打印机;Whiteboard;Shredder;Monitor arm"),
    ("Repairs", "service", 220, "Bicycle service;手机维修;Tailoring;Knife grinding"),
    ("Delivery", "service", 90, "Assembly at home;上门安装;Express delivery;Storage"),
    ("Training", "service", 1600, "Barista course;办公培训;First aid course"),
    ("Fit-out", "solution", 6500, "Meeting room, complete;茶水间方案;Reception desk"),
    ("Smart office", "solution", 9000, "Access control;智慧办公方案;Video conferencing"),
]
GRADES = [("", 1.0), (", large", 2.1)]


def make_catalogue(company: Company) -> None:
    """The products, and the catalogue ordered by price that customers choose from."""
    rng = company.stream("products")
    for category, product_type, typical, names in CATEGORIES:
        for name in names.split(";"):
            price = typical * math.exp(rng.gauss(0, 0.4))
            for grade, factor in GRADES:
                key = company.number("products", "A")
                shown = "" if rng.random() < 0.02 else category
                company.add("products", key, name + grade, shown, product_type)
                in_cents = max(1, round(price * factor)) * 100
                company.catalogue.append(Product(key, category, product_type, in_cents))
    company.catalogue.sort(key=lambda product: (product.price, product.product_id))
